import type { KubeClient } from '../../kube/types.ts'
import { partOf } from '../drivers/kubernetes/names.ts'
import type { StoreSecret } from './copies.ts'

export const component = 'etcd-store'
/** Milliseconds for one call: a cluster that is away must not hold up the others. */
export const callMs = 5000

/**
 * Clusters that are remembered in a context, in any namespace. Reads no key: only the names are asked for.
 * Throws `StatusError` for who may not list Secrets.
 */
export async function listClusters(
  client: KubeClient,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<{ name: string; namespace: string }[]> {
  const labelSelector = Object.entries({ ...partOf, 'app.kubernetes.io/component': component })
    .map(([label, value]) => `${label}=${value}`)
    .join(',')
  const chunks = await client.stream('/api/v1/secrets', {
    query: { labelSelector },
    headers: { Accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    signal,
    timeoutMs: callMs,
  })
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  const list = JSON.parse(Buffer.concat(parts).toString()) as { items?: StoreSecret[] }
  return (list.items ?? []).flatMap(({ metadata: { namespace, labels } }) => {
    const name = labels?.['app.kubernetes.io/instance']
    return name === undefined || namespace === undefined ? [] : [{ name, namespace }]
  })
}
