import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import type { V1Node } from '@kubernetes/client-node'
import podYaml from '../../../manifests/vip/kubelet-pod.yaml'
import { UserError } from '../../errors.ts'
import { parseManifest, pick } from '../../kube/manifest.ts'
import type { KubeObject, Wire } from '../../kube/types.ts'
import { waitFor, waitForGone, waitForList } from '../../kube/wait.ts'
import type { Progress } from '../../steps/step.ts'
import { labels, name, namespace } from '../names.ts'
import { type Asked, imageOf, type Pod } from '../objects.ts'
import { answerOf, hasEnded, saidBy } from '../pod-run.ts'
import type { AgentPod } from '../reports.ts'
import { type VipWorld, waiting } from '../world.ts'
import type { KubeletNews } from './command.ts'
import type { Target } from './kubeconfig.ts'

export interface KubeletJob {
  do: 'look' | 'move' | 'back'
  node: string
  /** Kubelet's kubeconfig, as far as it is known. */
  file?: string | undefined
  target: Target
  asked: Asked
}

/** As kubeadm has it, and most others. */
const usualFile = '/etc/kubernetes/kubelet.conf'
/** How long a new kubelet may take to reach its API server. Its node counts as lost after 40 s, its pods are moved after five minutes. */
const mostSeconds = 120
/** Some more, for a pod to come, and for the kubelet of before to be back. Milliseconds. */
const beyondMs = 180_000

/** What acts on one node's kubelet. `timeoutMs`: of each wait. Pure. */
export function kubeletPod({ do: wish, node, file = usualFile, target, asked }: KubeletJob, timeoutMs: number): Pod {
  const patienceSeconds = Math.min(mostSeconds, Math.ceil(timeoutMs / 1000))
  const pod = pick<Pod>(parseManifest(podYaml), 'Pod')
  pod.metadata.name = podName(node)
  pod.metadata.labels = { ...pod.metadata.labels, ...labels('vip-kubelet') }
  pod.spec.nodeName = node
  const [container] = pod.spec.containers
  const mount = container?.volumeMounts?.[0]
  const path = pod.spec.volumes?.[0]?.hostPath
  if (!container || !mount || !path) throw new Error('manifest has no container with a folder')
  const folder = dirname(file)
  path.path = folder
  mount.mountPath = `/host${folder}`
  if (wish === 'look') mount.readOnly = true
  container.image = imageOf(asked)
  container.args = [
    ...[`--do=${wish}`, '--root=/host', `--folder=${folder}`, `--server=${target.server}`],
    ...(target.tlsServerName === undefined ? [] : [`--tls-server-name=${target.tlsServerName}`]),
    ...(wish === 'look' ? ['--out=/dev/termination-log'] : [`--patience-seconds=${patienceSeconds}`]),
  ]
  return pod
}

/** A node's name may be longer than a pod's may become. */
const podName = (node: string): string =>
  `${name}-kubelet-${createHash('sha256').update(node).digest('hex').slice(0, 10)}`

const refOf = (node: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace, name: podName(node) })

/** Where the node's kubelet finds its API server. Throws `UserError` where that cannot be told. */
export async function lookAt(world: VipWorld, job: Omit<KubeletJob, 'do'>): Promise<KubeletNews> {
  const news = await lookOnce(world, job)
  // Its kubeconfig is not in the usual folder: a pod sees the one that it was given.
  const elsewhere = news.file !== undefined && news.target === undefined && job.file === undefined
  return elsewhere ? lookOnce(world, { ...job, file: news.file }) : news
}

async function lookOnce(world: VipWorld, job: Omit<KubeletJob, 'do'>): Promise<KubeletNews> {
  await earlierGone(world, job.node)
  await world.client.create(kubeletPod({ ...job, do: 'look' }, world.timeoutMs))
  try {
    const ended = await waitFor<AgentPod>(world.client, refOf(job.node), hasEnded, quiet(world))
    return answerOf<KubeletNews>(ended)
  } finally {
    await world.client.delete(refOf(job.node))
  }
}

/**
 * Gives the node's kubelet another API server, or the one from before, and answers whether it had to. The pod's readiness is the word of
 * the restarted kubelet by its new API server; the pod's removal tells it that the word was heard. Without, it puts all back by itself:
 * so after Ctrl-C. Throws `UserError` with why it was put back.
 */
export async function change(
  world: VipWorld,
  job: KubeletJob & { do: 'move' | 'back' },
  progress: Progress,
): Promise<boolean> {
  const { client, signal } = world
  await earlierGone(world, job.node)
  signal.throwIfAborted()
  await client.create(kubeletPod(job, world.timeoutMs))
  const timeoutMs = Math.max(world.timeoutMs, mostSeconds * 1000 + beyondMs)
  const options = { timeoutMs, signal, onProgress: progress }
  const pod = await waitFor<AgentPod>(client, refOf(job.node), isDecided, options)
  if (pod.status?.phase === 'Failed') {
    await client.delete(refOf(job.node))
    throw new UserError(saidBy(pod).replaceAll('\n', '; ') || 'its pod failed, and said nothing')
  }
  await client.delete(refOf(job.node))
  await waitForGone(client, refOf(job.node), quiet(world))
  const node = { apiVersion: 'v1', kind: 'Node', name: job.node }
  await waitFor<Node>(client, node, isReadyNode, { ...quiet(world), onProgress: progress })
  return pod.status?.phase !== 'Succeeded'
}

/** One of an earlier attempt may still be at work: it comes to its end by itself. */
async function earlierGone(world: VipWorld, node: string): Promise<void> {
  const { client, signal } = world
  const ref = refOf(node)
  const earlier = await client.find<Pod & AgentPod>(ref, { signal })
  if (!earlier) return
  const harmless = earlier.spec?.containers[0]?.args?.includes('--do=look') || earlier.metadata.deletionTimestamp
  if (!harmless) {
    const check = (pod: AgentPod | undefined) => (pod ? isDecided(pod) : true)
    await waitForList<AgentPod>(client, { ...ref, fieldSelector: `metadata.name=${ref.name}` }, ([pod]) => check(pod), {
      timeoutMs: mostSeconds * 1000 + beyondMs,
      signal,
    })
  }
  await client.delete(ref)
  await waitForGone(client, ref, quiet(world))
}

type Node = KubeObject & Wire<V1Node>

const quiet = (world: VipWorld) => waiting(world, () => {})

function isReadyNode(node: Node | undefined): true | string {
  if (!node) throw new UserError('the node was removed meanwhile')
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' || `the node is not Ready: ${ready?.message ?? 'it does not say why'}`
}

/** Ended, or ready: both by the word of its kubelet. */
function isDecided(pod: AgentPod | undefined): true | string {
  if (pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return true
  const ended = hasEnded(pod)
  return ended === true || !pod?.status?.containerStatuses?.[0]?.state?.running ? ended : 'restarting kubelet'
}
