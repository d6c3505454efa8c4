import { sameLaunch } from '../../launch.ts'
import type { Pod, Running } from './objects.ts'
import { runningOf } from './objects.ts'

export type Wanted = Pick<Running, 'launch' | 'bootstrapArgs'>

const statusOf = ({ status }: Pod) => status?.containerStatuses?.find(({ name }) => name === 'etcd')

/** Does etcd run in it now? */
export const runs = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp && statusOf(pod)?.state?.running !== undefined

/** Its exit code, if it has ended by itself and not been started again. */
export function exitCode(pod: Pod): number | undefined {
  const { state, lastState } = statusOf(pod) ?? {}
  if (state?.running) return undefined
  return (state?.terminated ?? lastState?.terminated)?.exitCode
}

/** Must a pod give way to another one for this to run? Pure. */
export function mustGo(pod: Pod, wanted: Wanted): boolean {
  const is = runningOf(pod)
  if (!is || !sameLaunch(is.launch, wanted.launch)) return true
  if (runs(pod)) return false
  // Flags for the first start matter to one that has not started; one that keeps ending would wait longer and longer for its next try.
  return exitCode(pod) !== undefined || is.bootstrapArgs.join() !== wanted.bootstrapArgs.join()
}

/** Has it started, as wanted and as another pod than the one before? A check for `waitFor`. Pure. */
export function started(pod: Pod | undefined, wanted: Wanted, before: string | undefined): true | string {
  if (!pod) return 'its pod is not there yet'
  if (pod.metadata.uid === before) return 'the pod before it is still stopping'
  if (pod.metadata.deletionTimestamp) return 'its pod is stopping'
  const is = runningOf(pod)
  if (!is || !sameLaunch(is.launch, wanted.launch)) return 'its pod has the old command line'
  const state = statusOf(pod)?.state
  if (state?.running || exitCode(pod) !== undefined) return true
  if (state?.waiting?.reason) return [state.waiting.reason, state.waiting.message].filter(Boolean).join(': ')
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  return unscheduled?.message ?? 'its pod is not on a node yet'
}
