import { isDeepStrictEqual } from 'node:util'
import { dump, load } from 'js-yaml'

/** Where a client finds its API server, and the name that it checks the certificate for, if that is another. */
export interface Target {
  server: string
  tlsServerName?: string | undefined
}

interface Kubeconfig extends Record<string, unknown> {
  'current-context'?: string
  contexts?: { name?: string; context?: { cluster?: string } }[] | null
  clusters?: { name?: string; cluster?: Cluster }[] | null
}

interface Cluster extends Record<string, unknown> {
  server?: string
  'tls-server-name'?: string
}

/** Where the kubeconfig leads; undefined: nowhere that can be told. Pure. */
export function targetOf(text: string): Target | undefined {
  const { server, 'tls-server-name': tlsServerName } = clusterOf(read(text))?.cluster ?? {}
  return server === undefined ? undefined : { server, ...(tlsServerName !== undefined && { tlsServerName }) }
}

export const sameTarget = (one: Target | undefined, other: Target | undefined): boolean =>
  one?.server === other?.server && one?.tlsServerName === other?.tlsServerName

/** The same kubeconfig, leading elsewhere; the rest, comments and order included, stays where that can be. Pure. */
export function withTarget(text: string, target: Target): string {
  const wanted = read(text)
  const cluster = clusterOf(wanted)?.cluster
  if (!cluster) return text
  const { server = '' } = cluster
  cluster.server = target.server
  delete cluster['tls-server-name']
  if (target.tlsServerName !== undefined) cluster['tls-server-name'] = target.tlsServerName
  const bare = text.replace(/^ *tls-server-name:.*\n/m, '')
  const line = new RegExp(`^([ -]*)server: *(["']?)${escaped(server)}\\2 *$`, 'm')
  const name = target.tlsServerName === undefined ? '' : `\n$INDENTtls-server-name: ${target.tlsServerName}`
  const moved = (from: string) =>
    from.replace(line, (_, indent: string) => {
      const below = name.replace('$INDENT', indent.replaceAll('-', ' '))
      return `${indent}server: ${target.server}${below}`
    })
  const edits = [moved(text), moved(bare)]
  return edits.find(edit => isDeepStrictEqual(read(edit), wanted)) ?? dump(wanted, { lineWidth: -1 })
}

/** The text from before it was moved: byte for byte where nobody changed it since, else its API server alone. Pure. */
export function restored(text: string, before: string): string {
  const old = targetOf(before)
  const now = targetOf(text)
  if (!old || (now && withTarget(before, now) === text)) return before
  return withTarget(text, old)
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Of the current context; the one that there is where no context says which. */
function clusterOf(config: Kubeconfig) {
  const { contexts, clusters, 'current-context': current } = config
  const wanted = contexts?.find(({ name }) => name === current)?.context?.cluster
  const [first, ...others] = clusters ?? []
  if (wanted === undefined) return others.length === 0 ? first : undefined
  return clusters?.find(({ name }) => name === wanted)
}

function read(text: string): Kubeconfig {
  try {
    const value = load(text)
    return typeof value === 'object' && value !== null ? (value as Kubeconfig) : {}
  } catch {
    return {}
  }
}
