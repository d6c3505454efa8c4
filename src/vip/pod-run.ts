import { UserError } from '../errors.ts'
import { eventsOf } from '../kube/pod-trouble.ts'
import type { KubeClient } from '../kube/types.ts'
import { waitFor } from '../kube/wait.ts'
import { namespace, selectorOf } from './names.ts'
import type { Pod } from './objects.ts'
import type { AgentPod } from './reports.ts'

export interface PodRunOptions {
  /** Milliseconds; its image may have to be pulled first. */
  timeoutMs: number
  signal: AbortSignal
}

/** Runs a pod to its end and removes it, whatever happens. Throws `UserError` with its reason where it does not come to its end. */
export async function runToEnd(client: KubeClient, pod: Pod, { timeoutMs, signal }: PodRunOptions): Promise<AgentPod> {
  const ref = podRef(pod.metadata.name)
  signal.throwIfAborted()
  // Not ended by the signal: who is asked to make it and not heard has made it all the same.
  const made = await client.create(pod)
  const end = performance.now() + timeoutMs
  let state = ''
  const check = (seen: AgentPod | undefined) => {
    const answer = hasEnded(seen)
    if (answer !== true) state = answer
    return answer
  }
  try {
    return await waitFor<AgentPod>(client, ref, check, { timeoutMs, signal })
  } catch (error) {
    signal.throwIfAborted()
    if (performance.now() < end || !(error instanceof UserError)) throw error
    const said = (await eventsOf(client, made)).at(-1) ?? state
    throw new UserError(`its pod does not come to its end in ${Math.round(timeoutMs / 1000)}s: ${said}`)
  } finally {
    await client.delete(ref)
  }
}

export const podRef = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace, name })

/** Removes those that a run which was killed has left. */
export async function removeEnded(
  client: KubeClient,
  component: 'vip-check' | 'vip-verify',
  signal: AbortSignal,
): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: selectorOf(component) }
  for (const { metadata, status } of await client.list<AgentPod>(ref, { signal })) {
    if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') continue
    await client.delete(podRef(metadata.name), { signal })
  }
}

/** Is it through? Throws `UserError` for a pod that cannot come to its end. Pure. */
export function hasEnded(pod: AgentPod | undefined): true | string {
  if (!pod) throw new UserError('its pod was removed by somebody else')
  const { phase, containerStatuses } = pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const waits = containerStatuses?.[0]?.state?.waiting
  if (waits?.reason && noImage.includes(waits.reason))
    throw new UserError(`its image cannot be had: ${waits.message ?? waits.reason}`)
  return waits?.message ? `${waits.reason}: ${waits.message}` : `it is ${phase ?? 'not there'}`
}

const noImage = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName']

/** What a pod said before it ended, without the word for it; empty: nothing. Pure. */
export function saidBy({ status }: Pick<AgentPod, 'status'>): string {
  const { message, reason } = status?.containerStatuses?.[0]?.state?.terminated ?? {}
  const text = message?.trim().replace(/^error: /, '') || status?.message || ''
  // Where it could not be started at all, the message alone would not say so.
  return reason === 'StartError' || reason === 'ContainerCannotRun' ? `it cannot be started: ${text}` : text
}

/** What a pod that ended well has said, in JSON. Pure. Throws `UserError` with what it said instead. */
export function answerOf<T>(pod: Pick<AgentPod, 'status'>): T {
  const said = saidBy(pod)
  if (pod.status?.phase === 'Succeeded' && said !== '') return JSON.parse(said) as T
  throw new UserError(said.replaceAll('\n', '; ') || 'its pod said nothing')
}
