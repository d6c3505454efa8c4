import type { KubeClient, KubeObject, ObjectRef } from '../../../kube/types.ts'
import type { WaitOptions } from '../../../kube/wait.ts'
import type { MemberSpec } from '../../cluster.ts'
import { carries, labels, memberName } from './names.ts'
import type { Owner, Pod, Secret, StatefulSet } from './objects.ts'

/** One member in one cluster, as the parts of this driver see it. */
export interface Site {
  client: KubeClient
  owner: Owner
  member: MemberSpec
  signal: AbortSignal
  /** Milliseconds. */
  timeoutMs: number
}

export const waiting = ({ signal, timeoutMs }: Site): WaitOptions => ({ signal, timeoutMs })

const ref = (apiVersion: string, kind: string, { owner }: Site, suffix = ''): ObjectRef => ({
  apiVersion,
  kind,
  namespace: owner.driver.namespace,
  name: memberName(owner.cluster, owner.member) + suffix,
})

export const statefulSetRef = (site: Site): ObjectRef => ref('apps/v1', 'StatefulSet', site)
export const secretRef = (site: Site): ObjectRef => ref('v1', 'Secret', site)
export const podRef = (site: Site): ObjectRef => ref('v1', 'Pod', site, '-0')
export const helperRef = (site: Site): ObjectRef => ref('v1', 'Pod', site, '-helper')

const labelsOf = ({ owner }: Site): Record<string, string> => labels('etcd', owner.cluster, owner.member)
export const selectorOf = (site: Site): string =>
  Object.entries(labelsOf(site))
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

/** The object, as long as it is ours. */
async function ours<T extends KubeObject>(site: Site, which: ObjectRef): Promise<T | undefined> {
  const found = await site.client.find<T>(which, { signal: site.signal })
  return found && carries(found, labelsOf(site)) ? found : undefined
}

export const findStatefulSet = (site: Site) => ours<StatefulSet>(site, statefulSetRef(site))
export const findSecret = (site: Site) => ours<Secret>(site, secretRef(site))
export const findPod = (site: Site) => ours<Pod>(site, podRef(site))

/** What has one of our names and is somebody else's. */
export async function findForeign(site: Site): Promise<string | undefined> {
  for (const which of [statefulSetRef(site), secretRef(site)]) {
    const found = await site.client.find(which, { signal: site.signal })
    if (found && !carries(found, labelsOf(site))) {
      const { cluster, member } = site.owner
      return `${which.kind} ${which.namespace}/${which.name} was not made by this plugin for member ${member} of ${cluster}`
    }
  }
  return undefined
}
