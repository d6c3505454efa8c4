import type { Deployment } from '../karmada/agent.ts'
import { type Cluster, clusterRef, isReady } from '../karmada/cluster.ts'
import { type WaitOptions, waitFor } from '../kube/wait.ts'
import type { Progress } from '../steps/step.ts'
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
