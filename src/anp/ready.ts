import { UserError } from '../errors.ts'
import type { Deployment } from '../karmada/agent.ts'
import { type Cluster, clusterRef, isReady, memberThroughKarmada } from '../karmada/cluster.ts'
import { pause } from '../kube/pause.ts'
import { type WaitOptions, waitFor } from '../kube/wait.ts'
import type { Progress } from '../steps/step.ts'
import { messageIn } from './said.ts'
import type { World } from './world.ts'

/**
 * All pods of the current version are ready. Unlike `rolledOut` it does not wait until they have been so for minReadySeconds,
 * which protects a later rollout and would only cost time on the way up.
 */
export const allReady =
  (word: string) =>
  (deployment: Deployment | undefined): true | string => {
    const wanted = deployment?.spec?.replicas ?? 0
    const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0 } = deployment?.status ?? {}
    const current = observedGeneration >= (deployment?.metadata.generation ?? 0) && updatedReplicas >= wanted
    return deployment && current && readyReplicas >= wanted ? true : `${readyReplicas}/${wanted} ${word}`
  }

export const waiting = ({ timeoutMs, signal }: World, progress: Progress): WaitOptions => ({
  timeoutMs,
  signal,
  onProgress: progress,
})

export const clusterReady = (world: World, member: string, progress: Progress): Promise<Cluster> =>
  waitFor<Cluster>(
    world.karmada,
    clusterRef(member),
    cluster => (cluster && isReady(cluster) ? true : `Cluster ${member} is not Ready`),
    waiting(world, progress),
  )

/** How long Karmada may need to see a Cluster's new values, and kube-proxy a new Service. Milliseconds. */
const settlingMs = 30_000

/**
 * Asks the member's /readyz through Karmada until it answers. Milliseconds of the request that did.
 * Throws `UserError` with what the path says instead.
 */
export async function reachThroughKarmada(world: World, member: string, progress: Progress): Promise<number> {
  const { karmada, signal, timeoutMs } = world
  const end = performance.now() + Math.min(timeoutMs, settlingMs)
  for (;;) {
    const started = performance.now()
    const answer = await memberThroughKarmada(karmada, member).raw('/readyz', { signal })
    if (answer.status === 200) return Math.round(performance.now() - started)
    const said = messageIn(answer.text) || `HTTP ${answer.status}`
    if (performance.now() > end) {
      throw new UserError(`GET /readyz through clusters/${member}/proxy: ${said}`, {
        hint: `kubectl karmada-net anp verify ${member}`,
      })
    }
    progress(said)
    await pause(300, signal)
  }
}
