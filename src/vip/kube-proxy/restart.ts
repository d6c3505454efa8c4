import { UserError } from '../../errors.ts'
import { waitForList } from '../../kube/wait.ts'
import type { Progress } from '../../steps/step.ts'
import { namespace } from '../names.ts'
import type { AgentPod } from '../reports.ts'
import { type VipWorld, waiting } from '../world.ts'
import { isOlder, type KubeProxy, type ProxyDaemonSet, podsOf, selectorOf, writtenByUs } from './find.ts'

/** Of these nodes those whose kube-proxy began before we last wrote its settings: what was interrupted goes on with them. */
export async function notRestarted(
  { client, signal }: Pick<VipWorld, 'client' | 'signal'>,
  { daemonSet, config }: KubeProxy,
  nodes: readonly string[],
): Promise<string[]> {
  const written = config && writtenByUs(config.map)
  if (!daemonSet || written === undefined) return []
  const pods = await podsOf(client, daemonSet, { signal })
  return nodes.filter(node => isOlder(pods.get(node), written)).toSorted()
}

/** One node after the other: each has its new kube-proxy, and it is ready, before the next loses its own. Throws `UserError`. */
export async function restartOn(
  world: VipWorld,
  daemonSet: ProxyDaemonSet,
  nodes: readonly string[],
  progress: Progress,
): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const say = (what: string) => progress(`${node} (${index + 1} of ${nodes.length}): ${what}`)
    const old = (await podsOf(world.client, daemonSet, world)).get(node)
    if (!old) continue
    say('restarting')
    await world.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: old.metadata.name })
    try {
      const ref = { apiVersion: 'v1', kind: 'Pod', namespace, ...selectorOf(daemonSet.spec) }
      const onNode = { ...ref, fieldSelector: `spec.nodeName=${node}` }
      await waitForList<AgentPod>(world.client, onNode, pods => isBack(pods, old), waiting(world, say))
    } catch (error) {
      if (world.signal.aborted || !(error instanceof UserError)) throw error
      throw new UserError(`kube-proxy did not come back on ${node}: ${error.message}`, {
        hint: `kubectl -n ${namespace} describe pods ${selectorFlags(daemonSet)} --field-selector spec.nodeName=${node}
then the same command again: it goes on with this node`,
        cause: error,
      })
    }
  }
}

const selectorFlags = ({ spec }: ProxyDaemonSet): string => `-l ${selectorOf(spec).labelSelector}`

/** Pure. */
export function isBack(pods: readonly AgentPod[], old: Pick<AgentPod, 'metadata'>): true | string {
  if (pods.some(({ metadata }) => metadata.uid === old.metadata.uid)) return 'the old one is ending'
  const fresh = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined)
  if (!fresh) return 'there is no new one yet'
  if (fresh.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return true
  const waits = fresh.status?.containerStatuses?.[0]?.state?.waiting
  return waits?.message ? `${waits.reason}: ${waits.message}` : 'the new one is not ready yet'
}
