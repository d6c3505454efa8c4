import type { Cluster } from '../../../src/karmada/cluster.ts'
import type { KubeClient } from '../../../src/kube/types.ts'
import type { Access, Installation, PlaneFacts, Probe, SyncMode } from '../../../src/topology/types.ts'

/** Made-up answers of contexts, one line each. */
export const probe = (context: string, rest: Partial<Probe> = {}): Probe => ({
  context,
  server: `https://${context}:6443`,
  access: 'ok',
  kubernetesVersion: 'v1.35.4',
  uid: `uid-${context}`,
  installations: [],
  gaps: [],
  ...rest,
})

export const silent = (context: string, access: Access, note: string): Probe =>
  probe(context, { access, note, uid: undefined, kubernetesVersion: undefined })

export const installation = (rest: Partial<Installation> = {}): Installation => ({
  namespace: 'karmada-system',
  prefix: 'karmada',
  installedBy: 'karmadactl',
  karmadaVersion: 'v1.18.2',
  components: [],
  apiServers: [],
  endpoints: [],
  nodePorts: [],
  certificateSecrets: [],
  fingerprints: [],
  ...rest,
})

export const host = (context: string, ...installations: Partial<Installation>[]): Probe =>
  probe(context, { installations: installations.map(installation) })

export const hub = (namespace = 'karmada-system', service = 'karmada-aggregated-apiserver') => ({ namespace, service })

export const plane = (context: string, facts: Partial<PlaneFacts> = {}, rest: Partial<Probe> = {}): Probe =>
  probe(context, { plane: { clusters: [], apiServers: [], fingerprints: [], hub: hub(), ...facts }, ...rest })

/** `uid` is what the member's own context answers, see `probe`. */
export const cluster = (name: string, syncMode: SyncMode = 'Pull', context = name, ready = true): Cluster => ({
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name },
  spec: { id: `uid-${context}`, syncMode, apiEndpoint: `https://${name}:6443` },
  status: {
    kubernetesVersion: 'v1.34.1',
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'ClusterReady' : 'ClusterNotReachable' },
    ],
  },
})

/** Stands for the client of a context: resolving makes no calls, so that its name is all that matters. */
export const clientOf = (context: string) => ({ context }) as KubeClient
