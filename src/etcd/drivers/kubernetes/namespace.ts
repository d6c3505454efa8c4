import memberYaml from '../../../../manifests/etcd/member.yaml'
import { isForbidden } from '../../../kube/errors.ts'
import { fillManifest, pick } from '../../../kube/manifest.ts'
import type { KubeClient, KubeObject } from '../../../kube/types.ts'
import { type WaitOptions, waitForGone } from '../../../kube/wait.ts'
import { carries, partOf } from './names.ts'

const refOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', name })

/** Makes the namespace where there is none; one that is there already stays as it is. One on its way out is waited for. */
export async function ensureNamespace(client: KubeClient, name: string, options: WaitOptions): Promise<void> {
  const found = await client.find(refOf(name), options)
  if (found && !found.metadata.deletionTimestamp) return
  if (found) await waitForGone(client, refOf(name), options)
  await client.apply(pick(fillManifest(memberYaml, { 'etcd-system': name }), 'Namespace'), { signal: options.signal })
}

/** Kinds that somebody else may have put there; what Kubernetes makes in every namespace does not count. */
const looked: { apiVersion: string; kind: string; theirs?: RegExp }[] = [
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'ConfigMap', theirs: /^kube-root-ca\.crt$/ },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'v1', kind: 'ServiceAccount', theirs: /^default$/ },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
]

/** Removes the namespace if this plugin made it and nothing is left in it, and waits until it is gone. True: it was removed. */
export async function releaseNamespace(client: KubeClient, name: string, options: WaitOptions): Promise<boolean> {
  const found = await client.find(refOf(name), options)
  if (!found || !carries(found, partOf)) return false
  try {
    const left = await Promise.all(
      looked.map(async ({ apiVersion, kind, theirs }) =>
        (await client.list<KubeObject>({ apiVersion, kind, namespace: name }, { signal: options.signal })).filter(
          ({ metadata }) => !theirs?.test(metadata.name),
        ),
      ),
    )
    if (left.flat().length > 0) return false
  } catch (error) {
    // Who may not look may not tidy up.
    if (isForbidden(error)) return false
    throw error
  }
  await client.delete(refOf(name), { signal: options.signal })
  await waitForGone(client, refOf(name), options)
  return true
}
