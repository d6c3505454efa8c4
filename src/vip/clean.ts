import { counted } from '../counted.ts'
import { UserError } from '../errors.ts'
import { inParallel } from '../in-parallel.ts'
import { waitForList } from '../kube/wait.ts'
import type { Progress } from '../steps/step.ts'
import { namespace, selectorOf } from './names.ts'
import { imageOf, type Pod, uninstallPod } from './objects.ts'
import { podRef, runToEnd, saidBy } from './pod-run.ts'
import type { AgentPod } from './reports.ts'
import { few } from './up/objections.ts'
import { type Installation, type VipWorld, waiting } from './world.ts'

/** Nodes at the same time. */
const atOnce = 20

/** Waits until none of the nodes that are meant has an agent, which would put back what is taken away. */
export async function untilNoAgents(
  world: VipWorld,
  isMeant: (node: string) => boolean,
  progress: Progress,
): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: selectorOf('vip') }
  const check = (pods: AgentPod[]) => {
    const left = pods.filter(({ spec }) => isMeant(spec?.nodeName ?? ''))
    return left.length === 0 ? true : `${left.length} still running`
  }
  await waitForList<AgentPod>(world.client, ref, check, waiting(world, progress))
}

/** Takes rules, route, files and sysctls off these nodes. Answers what failed, one line a node. */
export async function cleanNodes(
  world: VipWorld,
  found: Pick<Installation, 'settings' | 'asked'>,
  nodes: readonly string[],
  progress: Progress,
): Promise<string[]> {
  const failures: string[] = []
  let done = 0
  await inParallel(nodes, atOnce, async node => {
    const failure = await cleanNode(world, podFor(found, node))
    if (failure !== undefined) failures.push(`${node}: ${failure}`)
    progress(`${++done} of ${nodes.length} nodes`)
  })
  return failures.sort()
}

export const podFor = ({ settings, asked }: Pick<Installation, 'settings' | 'asked'>, node: string): Pod =>
  uninstallPod({ vip: { host: settings.vip, port: settings.port }, node, image: imageOf(asked) })

export const notClean = (left: readonly string[]): UserError =>
  new UserError(`something is left on ${counted(left.length, 'node')}: ${few(left)}`, {
    hint: 'mend that and run the same command again, or leave these nodes as they are with --force',
  })

/** Answers why the node is not clean; undefined: it is. */
async function cleanNode(world: VipWorld, pod: Pod): Promise<string | undefined> {
  const { client, signal, timeoutMs } = world
  // One of an earlier attempt has said what it had to say.
  if (await client.delete(podRef(pod.metadata.name), { signal })) await gone(world, pod.metadata.name)
  try {
    const ended = await runToEnd(client, pod, { timeoutMs, signal })
    if (ended.status?.phase === 'Succeeded') return undefined
    return saidBy(ended).replaceAll('\n', '; ') || 'uninstalling failed, and it said nothing'
  } catch (error) {
    if (signal.aborted || !(error instanceof UserError)) throw error
    return error.message
  }
}

async function gone(world: VipWorld, name: string): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, fieldSelector: `metadata.name=${name}` }
  const check = (pods: AgentPod[]) => (pods.length === 0 ? true : `pod ${name} of an earlier attempt is still there`)
  await waitForList<AgentPod>(
    world.client,
    ref,
    check,
    waiting(world, () => {}),
  )
}
