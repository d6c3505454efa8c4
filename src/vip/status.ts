import { isForbidden } from '../kube/errors.ts'
import { formatEndpoint } from './address.ts'
import { lacks } from './judge.ts'
import { checkKubeProxy } from './kube-proxy/check.ts'
import type { NodeReport, ServerReport } from './report.ts'
import { agentPods, askAgents, type NodeNews } from './reports.ts'
import { type NodeFacts, readFacts } from './up/facts.ts'
import type { Installation, VipWorld } from './world.ts'

export interface VipStatus {
  vip: string
  scheduler: string
  /** Nodes on which all is as the settings say, of how many. */
  ready: number
  nodes: NodeStatus[]
  /** What is wrong with the whole, one line each. */
  warnings: string[]
}

export interface NodeStatus {
  node: string
  report?: NodeReport | undefined
  /** What is wrong with it, one line each. */
  notes: string[]
}

/** Of a node without an agent. */
export const laterText = 'its turn has not come: kubectl karmada-net vip up goes on'

/** One line of the matrix: a node and an API server, or a node without any. */
export interface StatusRow {
  node: string
  server?: ServerReport | undefined
  note: string
}

export async function readStatus(
  { client, signal }: Pick<VipWorld, 'client' | 'signal'>,
  found: Installation,
): Promise<VipStatus> {
  const { settings, asked } = found
  const [facts, pods, kubeProxy] = await Promise.all([
    readFacts(client, asked.nodes, { signal }),
    agentPods(client, signal),
    checkKubeProxy({ client, signal }, found).catch(unlessForbidden),
  ])
  const news = new Map((await askAgents(client, pods, settings.statusPort, signal)).map(each => [each.node, each]))
  const names = new Set([...facts.nodes.map(({ name }) => name), ...news.keys()])
  const known = new Map(facts.nodes.map(node => [node.name, node]))
  const nodes = [...names].sort().map((node): NodeStatus => {
    const found = news.get(node)
    return { node, report: found?.report, notes: notesOn(found, known.get(node), settings) }
  })
  return {
    vip: formatEndpoint({ host: settings.vip, port: settings.port }),
    scheduler: settings.scheduler,
    ready: nodes.filter(({ notes }) => notes.length === 0).length,
    nodes,
    warnings: kubeProxy?.ok === false ? [`kube-proxy: ${kubeProxy.detail}`] : [],
  }
}

/** Whoever may not read kube-proxy's settings may see the rest. */
function unlessForbidden(error: unknown): undefined {
  if (!isForbidden(error)) throw error
}

/** Pure. */
export function notesOn(
  news: NodeNews | undefined,
  node: Pick<NodeFacts, 'ready' | 'stage'> | undefined,
  settings: Installation['settings'],
): string[] {
  if (news?.report) return lacks(news.report, settings)
  if (node?.stage === 'later') return [laterText]
  if (node?.ready === false) return ['the node is not Ready: its rules go on, nobody looks after them']
  return [news?.error ?? 'has no agent']
}

/** Pure. */
export function rowsOf({ nodes }: VipStatus, now: Date): StatusRow[] {
  return nodes.flatMap(({ node, report, notes }): StatusRow[] => {
    const servers = report?.servers ?? []
    const about = [...notes, ...(report ? flushNote(report, now) : [])].join('; ')
    if (servers.length === 0) return [{ node, note: about }]
    return servers.map((server, index) => ({
      node: index === 0 ? node : '',
      server,
      note: [...(index === 0 && about !== '' ? [about] : []), ...reasonOf(server)].join('; '),
    }))
  })
}

/** Why it gets no connections, where the state alone does not say. */
function reasonOf({ state, weight, reason, active }: ServerReport): string[] {
  if (reason !== undefined) return [reason]
  if (state !== 'drained' || weight > 0) return []
  return [active > 0 ? `by "vip drain"; ${active} still open` : 'by "vip drain"; nobody uses it']
}

function flushNote({ table: { flushes, lastFlush } }: NodeReport, now: Date): string[] {
  if (!lastFlush) return []
  const times = flushes === 1 ? 'once' : `${flushes} times`
  const who = lastFlush.suspect === undefined ? 'by whom is not known' : `it seems: ${lastFlush.suspect}`
  return [`rules were removed ${times} and put back, last ${since(lastFlush.at, now)} ago; ${who}`]
}

/** `42s`, `5m`, `3h`, `9d`. Pure. */
export function since(time: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(time)) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}
