import type { EtcdMember, MemberStatus, Readiness } from './client/types.ts'
import type { MemberSpec } from './cluster.ts'

/** One member of the inventory, as it was found a moment ago. */
export interface MemberView {
  spec: MemberSpec
  /** Its entry in the member list; undefined: the cluster does not know it. */
  member?: EtcdMember | undefined
  /** What it says of itself; undefined: it did not answer, see `error`. */
  status?: MemberStatus | undefined
  readiness?: Readiness | undefined
  /** Milliseconds of one status call on a kept connection. */
  latencyMs?: number | undefined
  error?: Error | undefined
}

export interface ClusterView {
  members: MemberView[]
  /** Members of the list that the inventory does not have: by hand, or left by a run that was cut off. */
  strangers: EtcdMember[]
  /** The member that more than half of those who answered call leader; undefined: there is none. */
  leader?: MemberView | undefined
  /** Members that count for the quorum, learners not among them. From the list; 0: nobody could tell it. */
  voters: number
  /** Voters that answer, know the leader and have no errors beyond alarms. */
  healthyVoters: number
  hasQuorum: boolean
}
