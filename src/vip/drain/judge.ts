import { counted } from '../../counted.ts'
import type { ServerReport } from '../report.ts'
import type { NodeNews } from '../reports.ts'

/** What is to become of one API server. */
export type Wish = 'drained' | 'back'

/** Nodes that would have no other API server left for new connections, of those that were heard. Pure. */
export const leftWithout = (news: readonly NodeNews[], address: string): string[] =>
  news
    .filter(({ report }) => report && !report.servers.some(other => other.address !== address && other.state === 'up'))
    .map(({ node }) => node)

/**
 * What a node still has to do, in a few words; undefined: nothing. `forced`: who is the last one keeps its connections, and that is no
 * reason to wait. Pure.
 */
export function todo(news: NodeNews | undefined, address: string, wish: Wish, forced: boolean): string | undefined {
  if (!news?.report) return news?.error ?? 'has no agent'
  const server = serverOf(news, address)
  // Nothing leads to who is not there.
  if (!server) return undefined
  if (wish === 'back') return server.state === 'drained' ? 'has not heard of it yet' : undefined
  if (server.state === 'down' || server.state === 'draining') return undefined
  if (server.state !== 'drained') return 'has not heard of it yet'
  return server.weight === 0 || forced ? undefined : (server.reason ?? `still gives it weight ${server.weight}`)
}

/** Open connections through the virtual IP, by node; nodes without any are left out. Pure. */
export const connectionsOf = (news: readonly NodeNews[], address: string): { node: string; active: number }[] =>
  news.flatMap(each => {
    const active = serverOf(each, address)?.active ?? 0
    return active > 0 ? [{ node: each.node, active }] : []
  })

/** `up on 3 of 3 nodes`, and why not where not. Pure. */
export function outcome(news: readonly NodeNews[], address: string): string {
  const states = news.map(each => ({ node: each.node, server: serverOf(each, address) }))
  const up = states.filter(({ server }) => server?.state === 'up').length
  const reasons = new Set(
    states.flatMap(({ node, server }) =>
      server && server.state !== 'up' ? [`${node}: ${server.state}${why(server)}`] : [],
    ),
  )
  return [`up on ${up} of ${counted(news.length, 'node')}`, ...reasons].join('; ')
}

const why = ({ reason }: ServerReport): string => (reason === undefined ? '' : `, ${reason}`)

const serverOf = ({ report }: NodeNews, address: string): ServerReport | undefined =>
  report?.servers.find(server => server.address === address)
