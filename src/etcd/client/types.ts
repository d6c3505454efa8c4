/** A member's id: 64 bits, beyond what a number can hold. etcdctl shows it in hex, see `hexId`. */
export type MemberId = bigint

export const hexId = (id: MemberId): string => id.toString(16)

export interface EtcdMember {
  id: MemberId
  /** Empty until it has started for the first time. */
  name: string
  peerUrls: string[]
  clientUrls: string[]
  isLearner: boolean
}

export interface MemberStatus {
  id: MemberId
  version: string
  /** Of the data: `3.6.0`; empty below 3.6. */
  storageVersion: string
  /** 0n: it knows none. */
  leader: MemberId
  isLearner: boolean
  dbSize: number
  dbSizeInUse: number
  /** 0: not told (below 3.6). */
  dbSizeQuota: number
  raftIndex: bigint
  raftTerm: bigint
  raftAppliedIndex: bigint
  revision: bigint
  /** What it says is wrong: `etcdserver: no leader`, alarms. */
  errors: string[]
}

export interface Alarm {
  member: MemberId
  alarm: 'NOSPACE' | 'CORRUPT'
}

export interface KeyValue {
  key: Buffer
  value: Buffer
  createRevision: bigint
  modRevision: bigint
  version: bigint
  /** 0n: none. */
  lease: bigint
}

export interface RangeQuery {
  key: string | Buffer
  /** Up to but without; `prefixEnd(key)` for all keys that begin with `key`. */
  rangeEnd?: string | Buffer | undefined
  limit?: number | undefined
  keysOnly?: boolean | undefined
  countOnly?: boolean | undefined
  /** Answered by the member alone, from what it has; also without quorum and by learners. */
  serializable?: boolean | undefined
  revision?: bigint | undefined
}

export interface RangeAnswer {
  revision: bigint
  kvs: KeyValue[]
  count: number
  more: boolean
}

/** One part of `/readyz`: `[+]linearizable_read ok`. */
export interface Readiness {
  ready: boolean
  /** Names of the checks that did not pass, and what they say. */
  failed: string[]
}

export interface CallLimits {
  /** Default: the client's. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * One member of an etcd cluster, over its JSON gateway. All throw `EtcdError` for what etcd answers, `UnreachableError` where no
 * answer came, or the signal's reason.
 */
export interface EtcdClient {
  /** `https://10.0.0.1:2379`. */
  endpoint: string
  status(limits?: CallLimits): Promise<MemberStatus>
  /** `linearizable` is for decisions: without it a member that is cut off answers with its own list. */
  members(options: { linearizable: boolean } & CallLimits): Promise<EtcdMember[]>
  addMember(peerUrl: string, options: { learner: boolean } & CallLimits): Promise<EtcdMember>
  removeMember(id: MemberId, limits?: CallLimits): Promise<void>
  promoteMember(id: MemberId, limits?: CallLimits): Promise<void>
  moveLeader(to: MemberId, limits?: CallLimits): Promise<void>
  range(query: RangeQuery, limits?: CallLimits): Promise<RangeAnswer>
  /** Answers the revision. */
  put(key: string | Buffer, value: string | Buffer, options?: { lease?: bigint } & CallLimits): Promise<bigint>
  /** Puts only where the key is not there yet; false where it is. */
  putNew(key: string, value: string, options?: { lease?: bigint } & CallLimits): Promise<boolean>
  deleteRange(key: string | Buffer, rangeEnd?: string | Buffer, limits?: CallLimits): Promise<number>
  grantLease(seconds: number, limits?: CallLimits): Promise<bigint>
  /** False when it has run out. */
  keepLease(id: bigint, limits?: CallLimits): Promise<boolean>
  revokeLease(id: bigint, limits?: CallLimits): Promise<void>
  /** `physical`: answers once the space is free inside the file. A revision that is compacted already is no error. */
  compact(revision: bigint, limits?: CallLimits): Promise<void>
  alarms(limits?: CallLimits): Promise<Alarm[]>
  disarm(alarm: Alarm, limits?: CallLimits): Promise<void>
  /** The member serves nothing meanwhile. */
  defragment(limits?: CallLimits): Promise<void>
  hashKv(revision: bigint, limits?: CallLimits): Promise<{ hash: number; compactRevision: bigint }>
  /** `/readyz`. */
  readiness(limits?: CallLimits): Promise<Readiness>
  /** `/version`: of this member, of the cluster. */
  versions(limits?: CallLimits): Promise<{ server: string; cluster: string; storage?: string | undefined }>
  /** The database as the member sends it, its last 32 bytes the SHA-256 of all before. Over gRPC. */
  snapshot(limits?: CallLimits): AsyncIterable<Uint8Array>
  /** Closes idle connections. */
  close(): void
}

/** A client certificate and whom it trusts, as PEM. */
export interface ClientIdentity {
  ca: string
  certificate: string
  key: string
}
