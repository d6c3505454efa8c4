import { prefixEnd } from '../client/prefix.ts'
import type { EtcdClient } from '../client/types.ts'

/** Where kube-apiserver says at which addresses it runs, by prefix: karmadactl's and the operator's, the chart's. */
const leases = ['/registry/masterleases/', '/registry/karmada/masterleases/']

/** Addresses of the API servers that work on this etcd, or did when the snapshot was taken. */
export async function apiServersOn(client: EtcdClient): Promise<string[]> {
  const found = await Promise.all(
    leases.map(async prefix => {
      const { kvs } = await client.range({ key: prefix, rangeEnd: prefixEnd(prefix), keysOnly: true, limit: 100 })
      return kvs.map(({ key }) => key.toString().slice(prefix.length))
    }),
  )
  return [...new Set(found.flat())].sort()
}

/** What to do now; API servers and controllers hold what the restored etcd may not have any more. Pure. */
export function restartAdvice(addresses: readonly string[]): string[] {
  const where = addresses.length > 0 ? ` (${addresses.join(', ')})` : ''
  return [
    `Now restart everything that remembers the old data, API servers first: every kube-apiserver on this etcd${where}, then the`,
    'aggregated API server and search, then the controllers. With the names of karmadactl init, on each host cluster:',
    '  kubectl -n karmada-system rollout restart deployment karmada-apiserver',
    '  kubectl -n karmada-system rollout status deployment karmada-apiserver',
    '  kubectl -n karmada-system rollout restart deployment karmada-aggregated-apiserver kube-controller-manager karmada-controller-manager karmada-scheduler karmada-webhook',
  ]
}
