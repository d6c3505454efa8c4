import { randomBytes } from 'node:crypto'
import podYaml from '../../../manifests/vip/verify-pod.yaml'
import { UserError } from '../../errors.ts'
import { parseManifest, pick } from '../../kube/manifest.ts'
import type { KubeClient } from '../../kube/types.ts'
import { waitFor } from '../../kube/wait.ts'
import { labels, name, namespace, selectorOf } from '../names.ts'
import { imageOf, type Pod } from '../objects.ts'
import type { AgentPod } from '../reports.ts'
import type { Installation } from '../world.ts'
import type { Passage } from './report.ts'

/** An image may have to be pulled first. Milliseconds. */
const patienceMs = 90_000

/** What connects from a pod's network on one node. Pure. */
export function verifyPod(
  { settings, asked }: Pick<Installation, 'settings' | 'asked'>,
  node: string,
  id: string,
): Pod {
  const pod = pick<Pod>(parseManifest(podYaml), 'Pod')
  pod.metadata.name = `${name}-verify-${id}`
  pod.metadata.labels = { ...pod.metadata.labels, ...labels('vip-verify') }
  pod.spec.nodeName = node
  const [container] = pod.spec.containers
  if (!container) throw new Error('manifest has no container to connect from')
  container.image = imageOf(asked)
  const { vip, port, tlsServerName } = settings
  const given = [`--vip=${vip}`, `--port=${port}`, `--server-name=${tlsServerName}`]
  container.args = [...given, ...(container.args ?? []).filter(arg => /^--(ca|out)=/.test(arg))]
  return pod
}

/** Runs the pod to its end and removes it, whatever happens. Throws `UserError` where it does not come to its end. */
export async function passagesFromPod(
  client: KubeClient,
  found: Installation,
  node: string,
  signal: AbortSignal,
): Promise<Passage[]> {
  const pod = verifyPod(found, node, randomBytes(5).toString('hex'))
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name: pod.metadata.name }
  signal.throwIfAborted()
  // Not ended by the signal: who is asked to make it and not heard has made it all the same.
  await client.create(pod)
  try {
    const ended = await waitFor<AgentPod>(client, ref, hasEnded, { timeoutMs: patienceMs, signal })
    return answerOf(ended)
  } finally {
    await client.delete(ref)
  }
}

/** Removes those that a run which was killed has left. */
export async function removeEnded(client: KubeClient, signal: AbortSignal): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: selectorOf('vip-verify') }
  for (const { metadata, status } of await client.list<AgentPod>(ref, { signal })) {
    if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') continue
    await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: metadata.name }, { signal })
  }
}

function hasEnded(pod: AgentPod | undefined): true | string {
  if (!pod) throw new UserError('the pod was removed by somebody else')
  const { phase, containerStatuses } = pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const waits = containerStatuses?.[0]?.state?.waiting
  if (waits?.reason === 'ErrImagePull' || waits?.reason === 'ImagePullBackOff' || waits?.reason === 'ErrImageNeverPull')
    throw new UserError(`its image cannot be had: ${waits.message ?? waits.reason}`)
  return waits?.message ? `${waits.reason}: ${waits.message}` : `the pod is ${phase ?? 'not there'}`
}

/** Throws `UserError` with what the pod said instead. Pure. */
export function answerOf({ status }: Pick<AgentPod, 'status'>): Passage[] {
  const said = status?.containerStatuses?.[0]?.state?.terminated?.message ?? ''
  if (status?.phase === 'Succeeded') return JSON.parse(said) as Passage[]
  throw new UserError(said.trim().replace(/^error: /, '') || status?.message || 'the pod failed, and said nothing')
}
