import type { ObjectRef } from '../../kube/types.ts'
import { planned } from '../../steps/objects.ts'
import type { PlannedObject } from '../../steps/step.ts'
import { type Rewrite, shown } from '../kept.ts'
import type { ConfigMap } from '../objects.ts'
import { seeCertificates } from '../up/certificates.ts'
import type { ClusterFacts } from '../up/facts.ts'
import type { Installation, VipWorld } from '../world.ts'
import type { Target } from './kubeconfig.ts'
import { type Client, targetFor } from './target.ts'

/** Which clients are to use the virtual IP. */
export interface RepointJob extends Pick<Installation, 'settings' | 'asked'> {
  repoint: readonly Client[]
}

/** Where they go, by the certificates that API servers show now. */
export const targetNow = async ({ settings }: RepointJob, { apiServers }: ClusterFacts): Promise<Target> =>
  targetFor(settings, await seeCertificates(apiServers, settings.vip))

export const where = ({ client }: VipWorld): string => `cluster ${client.context}`

/** What a dry run prints of a change of somebody else's ConfigMap. */
export async function shownIfThere(
  world: VipWorld,
  ref: ObjectRef,
  change: (map: ConfigMap) => Rewrite | undefined,
): Promise<PlannedObject[]> {
  const map = await world.client.find<ConfigMap>(ref, { signal: world.signal })
  const wanted = map && change(map)
  return wanted ? planned(where(world), [shown(ref, wanted)]) : []
}
