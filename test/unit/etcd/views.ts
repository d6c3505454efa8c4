import type { EtcdMember, MemberStatus } from '../../../src/etcd/client/types.ts'
import type { MemberSpec } from '../../../src/etcd/cluster.ts'
import type { ClusterView, MemberView } from '../../../src/etcd/view.ts'

/** Member `m1` has id 1, address 10.0.0.1, and so on. */
const memberSpec = (index: number): MemberSpec => ({
  name: `m${index}`,
  address: `10.0.0.${index}`,
  site: `m${index}`,
  driver: { kind: 'docker' },
})

export const listed = (index: number, over: Partial<EtcdMember> = {}): EtcdMember => ({
  id: BigInt(index),
  name: `m${index}`,
  peerUrls: [`https://10.0.0.${index}:2380`],
  clientUrls: [`https://10.0.0.${index}:2379`],
  isLearner: false,
  ...over,
})

export const memberStatus = (index: number, over: Partial<MemberStatus> = {}): MemberStatus => ({
  id: BigInt(index),
  version: '3.6.16',
  storageVersion: '3.6.0',
  leader: 2n,
  isLearner: false,
  dbSize: 84 * 2 ** 20,
  dbSizeInUse: 39 * 2 ** 20,
  dbSizeQuota: 8 * 2 ** 30,
  raftIndex: 1000n,
  raftTerm: 3n,
  raftAppliedIndex: 1000n,
  revision: 900n,
  errors: [],
  ...over,
})

export const healthy = (index: number, over: Partial<MemberView> = {}): MemberView => ({
  spec: memberSpec(index),
  member: listed(index),
  status: memberStatus(index),
  readiness: { ready: true, failed: [] },
  latencyMs: 1.24,
  ...over,
})

export const dead = (index: number, error: Error): MemberView => ({
  spec: memberSpec(index),
  member: listed(index),
  error,
})

/** A view of these members with m2 as leader; `over` says what follows from them. */
export function viewOf(members: MemberView[], over: Partial<ClusterView> = {}): ClusterView {
  const voters = members.filter(({ member }) => member && !member.isLearner).length
  const healthyVoters = members.filter(({ member, status }) => member && status && !status.isLearner).length
  return {
    members,
    strangers: [],
    leader: members.find(({ spec, status }) => spec.name === 'm2' && status),
    voters,
    healthyVoters,
    hasQuorum: healthyVoters > voters / 2,
    ...over,
  }
}
