import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import { podTrouble } from '../kube/pod-trouble.ts'
import type { Progress } from '../steps/step.ts'
import { lacks, unreached } from './judge.ts'
import { namespace, refs, selectorOf } from './names.ts'
import type { DaemonSet } from './objects.ts'
import { type AgentPod, agentPods, askAgents, type NodeNews } from './reports.ts'
import type { VipSettings } from './settings.ts'
import { few } from './up/objections.ts'
import type { VipWorld } from './world.ts'

const everyMs = 500

/**
 * Waits until the agents of these nodes are as written and say that all is there, and reach every API server. One that no node reaches
 * is not waited for: that is not the nodes' fault. Answers their news. Throws `UserError` with what is missing where.
 */
export async function agentsReady(
  world: VipWorld,
  settings: VipSettings,
  nodes: readonly string[],
  progress: Progress,
): Promise<NodeNews[]> {
  const { client, signal, timeoutMs } = world
  const end = performance.now() + timeoutMs
  for (;;) {
    const [daemonSet, pods] = await Promise.all([
      client.find<DaemonSet>(refs.daemonSet, { signal }),
      agentPods(client, signal),
    ])
    const wanted = new Map([...pods].filter(([node]) => nodes.includes(node)))
    const news = await askAgents(client, wanted, settings.statusPort, signal)
    const missing = [...stillMissing(nodes, wanted, news, settings), ...rollout(daemonSet)]
    if (missing.length === 0) return news
    if (performance.now() > end) throw await timedOut(world, missing)
    progress(few(missing, 1))
    await pause(everyMs, signal)
  }
}

/** Pure but for its order: what the user is told first comes first. */
function stillMissing(
  nodes: readonly string[],
  pods: ReadonlyMap<string, AgentPod>,
  news: readonly NodeNews[],
  settings: VipSettings,
): string[] {
  const without = nodes.filter(node => !pods.has(node)).map(node => `${node}: has no agent yet`)
  const reached = news.flatMap(({ report }) => report?.servers ?? []).filter(({ state }) => state === 'up')
  const reachable = new Set(reached.map(({ address }) => address))
  const troubles = news.flatMap(({ node, report, error }) => {
    if (report === undefined) return [`${node}: ${error}`]
    const lacking = lacks(report, settings).map(what => `${node} ${what}`)
    const servers = unreached(report).filter(text => reachable.has(text.split(' ')[0] ?? ''))
    return [...lacking, ...servers.map(text => `${node} does not reach ${text}`)]
  })
  return [...without, ...troubles]
}

/** Old pods answer as well while a new version comes to a few nodes at a time. */
function rollout(daemonSet: DaemonSet | undefined): string[] {
  const { metadata, status } = daemonSet ?? {}
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0))
    return ['the change is not yet seen by its controller']
  const { updatedNumberScheduled = 0, desiredNumberScheduled = 0 } = status ?? {}
  if (updatedNumberScheduled >= desiredNumberScheduled) return []
  return [`${updatedNumberScheduled} of ${desiredNumberScheduled} nodes have the new agent`]
}

async function timedOut({ client, timeoutMs }: VipWorld, missing: readonly string[]): Promise<UserError> {
  const trouble = await podTrouble(client, namespace, selectorOf('vip'))
  const lines = [few(missing, 3), ...(trouble === '' ? [] : [trouble])]
  return new UserError(`not ready after ${Math.round(timeoutMs / 1000)}s: ${lines.join('\n')}`, {
    hint: 'run the same command again to go on waiting; kubectl karmada-net vip status shows every node',
  })
}
