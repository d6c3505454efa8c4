import type { ClusterSpec, ClusterState, MemberSpec } from '../../../src/etcd/cluster.ts'
import { newState } from '../../../src/etcd/state.ts'

export const memberSpec = (name: string, rest: Partial<MemberSpec> = {}): MemberSpec => ({
  name,
  address: `10.0.0.${name.replace(/\D/g, '') || 1}`,
  site: name,
  driver: { kind: 'docker' },
  ...rest,
})

/** Three members m1, m2, m3 unless told otherwise. */
export const clusterSpec = (rest: Partial<ClusterSpec> = {}): ClusterSpec => ({
  name: 'karmada',
  version: '3.6.16',
  image: 'example.com/etcd',
  keyType: 'ecdsa-p256',
  ports: { client: 2379, peer: 2380, metrics: 2381 },
  tuning: { quotaBytes: 8 * 2 ** 30, heartbeatMs: 100, electionMs: 1000, snapshotCount: 10_000, extraArgs: [] },
  consumers: ['karmada-apiserver'],
  members: ['m1', 'm2', 'm3'].map(name => memberSpec(name)),
  ...rest,
})

export const clusterState = (spec: Partial<ClusterSpec> = {}, rest: Partial<ClusterState> = {}): ClusterState => ({
  ...newState(clusterSpec(spec)),
  ...rest,
})
