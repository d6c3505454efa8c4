import { type Cluster, clusterRef } from '../karmada/cluster.ts'
import { isConflict } from '../kube/errors.ts'
import type { KubeClient } from '../kube/types.ts'
import { planned } from '../steps/objects.ts'
import type { Step } from '../steps/step.ts'
import { previous } from './names.ts'
import type { Wanted } from './preflight.ts'
import type { World } from './world.ts'

interface ClusterPatch {
  metadata: object
  spec: object
}

type Change = (cluster: Cluster) => ClusterPatch | undefined

/**
 * Tells Karmada to reach the member through the tunnel; what stood there before goes into annotations, once. Undefined: nothing to do.
 * The administrator must write it before karmada-agent's flags say it: the agent may not update its Cluster and would crash.
 */
export const connectedBy =
  (wanted: Wanted): Change =>
  ({ spec, metadata }) => {
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
  }

/** Puts back what `connectedBy` found. Undefined when it was never connected. */
export const asItWas: Change = ({ metadata }) => {
  const proxyURL = metadata.annotations?.[previous.proxyUrl]
  const apiEndpoint = metadata.annotations?.[previous.apiEndpoint]
  if (proxyURL === undefined) return undefined
  return {
    metadata: { annotations: { [previous.proxyUrl]: null, [previous.apiEndpoint]: null } },
    spec: { apiEndpoint: apiEndpoint || null, proxyURL: proxyURL || null },
  }
}

/** A change of a member's Cluster as a step: only the fields that it writes are shown by a dry run. */
export const clusterStep = (member: string, title: string, changeOf: (world: World) => Change): Step<World> => ({
  title,
  async objects(world) {
    const patch = changeOf(world)(await world.karmada.get<Cluster>(clusterRef(member)))
    if (!patch) return []
    const object = { ...clusterRef(member), ...patch, metadata: { name: member, ...patch.metadata } }
    const { name: _, ...shown } = object
    return planned('control plane, merged into what is there', [shown])
  },
  dryRun: async world => ({ changed: await update(world.karmada, member, true, changeOf(world)) }),
  run: async world => ({ changed: await update(world.karmada, member, false, changeOf(world)) }),
})

/** karmada-agent writes the same object's status all the time: read, change, and begin again on a conflict. */
async function update(karmada: KubeClient, member: string, dryRun: boolean, change: Change): Promise<boolean> {
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
