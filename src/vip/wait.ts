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
    const hopeless = missing.every(({ hopeless }) => hopeless)
    if (hopeless || performance.now() > end) throw await notReady(world, missing, hopeless)
    progress(few(missing.map(textOf), 1))
    await pause(everyMs, signal)
  }
}

interface Missing {
  text: string
  /** More waiting will not mend it. */
  hopeless: boolean
}

const textOf = ({ text }: Missing): string => text
const soon = (text: string): Missing => ({ text, hopeless: false })

/** Pure. */
export function stillMissing(
  nodes: readonly string[],
  pods: ReadonlyMap<string, AgentPod>,
  news: readonly NodeNews[],
  settings: VipSettings,
): Missing[] {
  const without = nodes.filter(node => !pods.has(node)).map(node => soon(`${node} has no agent yet`))
  const reached = news.flatMap(({ report }) => report?.servers ?? []).filter(({ state }) => state === 'up')
  const reachable = new Set(reached.map(({ address }) => address))
  const troubles = news.flatMap(({ node, report, error }): Missing[] => {
    if (report === undefined) return [{ text: `${node}: ${error}`, hopeless: keepsFailing(pods.get(node)) }]
    const servers = unreached(report).filter(text => reachable.has(text.split(' ')[0] ?? ''))
    return [...lacks(report, settings), ...servers.map(text => `does not reach ${text}`)].map(what =>
      soon(`${node} ${what}`),
    )
  })
  return [...without, ...troubles]
}

/** What an agent does before it begins is the same each time. */
const keepsFailing = (pod: AgentPod | undefined): boolean =>
  pod?.status?.initContainerStatuses?.some(({ ready, restartCount }) => !ready && restartCount >= 2) ?? false

/** Old pods answer as well while a new version comes to a few nodes at a time. */
function rollout(daemonSet: DaemonSet | undefined): Missing[] {
  const { metadata, status } = daemonSet ?? {}
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0))
    return [soon('the change is not yet seen by its controller')]
  const { updatedNumberScheduled = 0, desiredNumberScheduled = 0 } = status ?? {}
  if (updatedNumberScheduled >= desiredNumberScheduled) return []
  return [soon(`${updatedNumberScheduled} of ${desiredNumberScheduled} nodes have the new agent`)]
}

async function notReady(
  { client, timeoutMs }: VipWorld,
  missing: readonly Missing[],
  hopeless: boolean,
): Promise<UserError> {
  const first = few(missing.map(textOf), 3)
  const trouble = hopeless ? '' : await podTrouble(client, namespace, selectorOf('vip'))
  const lines = [hopeless ? first : `not ready after ${Math.round(timeoutMs / 1000)}s: ${first}`, trouble]
  return new UserError(lines.filter(Boolean).join('\n'), {
    hint: hopeless
      ? 'mend that and run the same command again, or leave such nodes out with --nodes'
      : 'run the same command again to go on waiting; kubectl karmada-net vip status shows every node',
  })
}
