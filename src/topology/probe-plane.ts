import type { V1LeaseSpec } from '@kubernetes/client-node'
import { type Cluster, clusterType } from '../karmada/cluster.ts'
import type { KubeClient, KubeObject, Wire } from '../kube/types.ts'
import type { Asker } from './ask.ts'
import type { Service } from './installation.ts'
import type { PlaneFacts } from './types.ts'

export interface Lease extends KubeObject {
  spec?: Wire<V1LeaseSpec>
}

export interface ApiService extends KubeObject {
  spec: { service?: { name: string; namespace: string }; caBundle?: string }
}

const aggregated = /aggregated-apiserver$/

/** What a Karmada API server says of itself: members, where it runs, and who serves it. */
export async function planeFacts(client: KubeClient, asker: Asker): Promise<PlaneFacts> {
  const [clusters, leases, services] = await Promise.all([
    asker.ask('clusters', 'list clusters', options => client.list<Cluster>(clusterType, options)),
    asker.ask('details', 'list leases in kube-system', options => client.list<Lease>(identityLeases, options)),
    asker.ask('details', 'list services in karmada-system', options =>
      client.list<Service>({ apiVersion: 'v1', kind: 'Service', namespace: 'karmada-system' }, options),
    ),
  ])
  const alias = services?.find(({ metadata, spec }) => spec.type === 'ExternalName' && aggregated.test(metadata.name))
  return {
    clusters,
    hub: hubOf(alias) ?? (await hubElsewhere(client, asker)),
    apiServers: liveApiServers(leases ?? []),
    fingerprints: [],
  }
}

const identityLeases = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: 'kube-system',
  labelSelector: 'apiserver.kubernetes.io/identity=kube-apiserver',
}

export const aggregatedApiService = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  name: 'v1alpha1.cluster.karmada.io',
}

/** The chart can put the alias into another namespace; the APIService knows which. */
async function hubElsewhere(client: KubeClient, asker: Asker): Promise<PlaneFacts['hub']> {
  const apiService = await asker.ask('details', 'read the APIService of clusters', options =>
    client.find<ApiService>(aggregatedApiService, options),
  )
  const reference = apiService?.spec.service
  if (reference === undefined || reference.namespace === 'karmada-system') return undefined
  const alias = await asker.ask('details', `read services in ${reference.namespace}`, options =>
    client.find<Service>({ apiVersion: 'v1', kind: 'Service', ...reference }, options),
  )
  return alias && hubOf(alias)
}

/** `karmada-aggregated-apiserver.karmada-system.svc.cluster.local`: a Service in the host cluster. */
export function hubOf(alias: Service | undefined): PlaneFacts['hub'] {
  const [service, namespace, svc, ...domain] = alias?.spec.externalName?.replace(/\.$/, '').split('.') ?? []
  if (service === undefined || namespace === undefined || svc !== 'svc') return undefined
  return { service, namespace, domain: domain.join('.') || undefined }
}

/**
 * Host names of the API servers that are alive. Their identity leases are renewed every 10 seconds and stay for an hour after the
 * end of a server; the newest is the measure, because our clock may be wrong.
 */
export function liveApiServers(leases: Lease[]): string[] {
  const renewed = (lease: Lease) => Date.parse(lease.spec?.renewTime ?? '')
  const newest = Math.max(...leases.map(renewed).filter(time => !Number.isNaN(time)))
  return leases.flatMap(lease =>
    newest - renewed(lease) < 60_000 ? (lease.metadata.labels?.['kubernetes.io/hostname'] ?? []) : [],
  )
}
