import type { KubeObject } from '../../../kube/types.ts'
import { waitForGone } from '../../../kube/wait.ts'
import { createBackups } from './backups.ts'
import { inFolder } from './helper.ts'
import { stop } from './life.ts'
import { annotation, carries, labels } from './names.ts'
import { releaseNamespace } from './namespace.ts'
import { budgetOf } from './objects.ts'
import { findSecret, findStatefulSet, type Site, secretRef, selectorOf, statefulSetRef, waiting } from './world.ts'

/** See `Driver.discardBefore`. */
export async function discardBefore(site: Site, generation: number): Promise<void> {
  if (generation <= 1) return
  const { storage } = site.owner.driver
  if ('hostPath' in storage) {
    const { cluster, member } = site.owner
    const older = [...Array(generation - 1).keys()].map(index => `/data/${cluster}/${member}/generation-${index + 1}`)
    await inFolder(site, storage.hostPath, ['rm', '-rf', ...older])
    return
  }
  for (const claim of await claims(site)) {
    if (Number(claim.metadata.labels?.[annotation.generation]) < generation) await removeClaim(site, claim)
  }
}

/** See `Driver.remove`. The StatefulSet goes last: it alone remembers the node, should this be cut off. */
export async function remove(site: Site, keepData: boolean): Promise<boolean> {
  const { client, owner, signal } = site
  const [existing, secret, volumes] = await Promise.all([findStatefulSet(site), findSecret(site), claims(site)])
  const backups = await createBackups(site).remove()
  await stop(site)
  if (!keepData) {
    const { storage } = owner.driver
    if (existing && 'hostPath' in storage) await removeFolder(site, storage.hostPath)
    for (const claim of volumes) await removeClaim(site, claim)
  }
  if (secret) await client.delete(secretRef(site), { signal })
  if (existing) {
    await client.delete(statefulSetRef(site), { signal })
    await waitForGone(client, statefulSetRef(site), waiting(site))
  }
  const budget = await removeBudget(site)
  const released = await releaseNamespace(client, owner.driver.namespace, waiting(site))
  return Boolean(existing || secret || backups || budget || released || (!keepData && volumes.length > 0))
}

/** The cluster's folder goes along with its last member on the node. */
async function removeFolder(site: Site, hostPath: string): Promise<void> {
  const { cluster, member } = site.owner
  const script = 'rm -rf "/data/$1/$2" && { rmdir "/data/$1" 2>/dev/null || true; }'
  await inFolder(site, hostPath, ['sh', '-c', script, 'sh', cluster, member])
}

const claims = (site: Site): Promise<KubeObject[]> =>
  site.client.list(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: site.owner.driver.namespace,
      labelSelector: selectorOf(site),
    },
    { signal: site.signal },
  )

async function removeClaim(site: Site, { metadata }: KubeObject): Promise<void> {
  const { name, namespace } = metadata
  const ref = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace }
  await site.client.delete(ref, { signal: site.signal })
  await waitForGone(site.client, ref, waiting(site))
}

/** Once no member of the cluster is left that it was for. */
async function removeBudget({ client, owner, signal }: Site): Promise<boolean> {
  const { namespace } = owner.driver
  const wanted = labels('etcd', owner.cluster)
  const others = await client.list<KubeObject>({ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace }, { signal })
  if (others.some(other => carries(other, wanted))) return false
  const { apiVersion, kind, metadata } = budgetOf(owner)
  const ref = { apiVersion, kind, namespace, name: metadata.name }
  const found = await client.find(ref, { signal })
  return found !== undefined && carries(found, wanted) && client.delete(ref, { signal })
}
