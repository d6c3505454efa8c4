import { type Cluster, clusterRef } from '../karmada/cluster.ts'
import { isConflict } from '../kube/errors.ts'
import type { KubeClient } from '../kube/types.ts'
import { previous } from './names.ts'
import type { Wanted } from './preflight.ts'

/**
 * Tells Karmada to reach the member through the tunnel; what stood there before goes into annotations, once.
 * The administrator must write it before karmada-agent's flags say it: the agent may not update its Cluster and would crash.
 */
export const connectCluster = (karmada: KubeClient, member: string, wanted: Wanted, dryRun = false): Promise<boolean> =>
  update(karmada, member, dryRun, ({ spec, metadata }) => {
    const kept = metadata.annotations?.[previous.proxyUrl] !== undefined
    const remember = {
      [previous.apiEndpoint]: spec.apiEndpoint ?? '',
      [previous.proxyUrl]: spec.proxyURL === wanted.proxyUrl ? '' : (spec.proxyURL ?? ''),
    }
    if (kept && spec.apiEndpoint === wanted.apiEndpoint && spec.proxyURL === wanted.proxyUrl) return undefined
    return {
      metadata: kept ? {} : { annotations: remember },
      spec: { apiEndpoint: wanted.apiEndpoint, proxyURL: wanted.proxyUrl },
    }
  })

/** Puts back what `connectCluster` found. False when it was never connected. */
export const restoreCluster = (karmada: KubeClient, member: string, dryRun = false): Promise<boolean> =>
  update(karmada, member, dryRun, ({ metadata }) => {
    const proxyURL = metadata.annotations?.[previous.proxyUrl]
    const apiEndpoint = metadata.annotations?.[previous.apiEndpoint]
    if (proxyURL === undefined) return undefined
    return {
      metadata: { annotations: { [previous.proxyUrl]: null, [previous.apiEndpoint]: null } },
      spec: { apiEndpoint: apiEndpoint || null, proxyURL: proxyURL || null },
    }
  })

/** karmada-agent writes the same object's status all the time: read, change, and begin again on a conflict. */
async function update(
  karmada: KubeClient,
  member: string,
  dryRun: boolean,
  change: (cluster: Cluster) => { metadata: object; spec: object } | undefined,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const cluster = await karmada.get<Cluster>(clusterRef(member))
    const patch = change(cluster)
    if (!patch) return false
    const { resourceVersion } = cluster.metadata
    try {
      await karmada.mergePatch(
        clusterRef(member),
        { ...patch, metadata: { ...patch.metadata, resourceVersion } },
        { dryRun },
      )
      return true
    } catch (error) {
      if (!isConflict(error) || tries === 5) throw error
    }
  }
}
