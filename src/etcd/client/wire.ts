import type { Alarm, EtcdMember, KeyValue, MemberStatus, RangeAnswer, RangeQuery } from './types.ts'

/** etcd's messages as JSON: 64 bits are decimal strings, bytes are base64, and whatever is zero or empty is left out. */
export interface Header {
  member_id?: string
  revision?: string
}

export interface WireMember {
  ID?: string
  name?: string
  peerURLs?: string[]
  clientURLs?: string[]
  isLearner?: boolean
}

export interface WireStatus {
  header?: Header
  version?: string
  storageVersion?: string
  leader?: string
  isLearner?: boolean
  dbSize?: string
  dbSizeInUse?: string
  dbSizeQuota?: string
  raftIndex?: string
  raftTerm?: string
  raftAppliedIndex?: string
  errors?: string[]
}

interface WireKeyValue {
  key?: string
  value?: string
  create_revision?: string
  mod_revision?: string
  version?: string
  lease?: string
}

export interface WireRange {
  header?: Header
  kvs?: WireKeyValue[]
  count?: string
  more?: boolean
}

export interface WireAlarm {
  memberID?: string
  alarm?: string
}

const int = (text: string | undefined): bigint => BigInt(text ?? 0)
const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
export const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')

export const revisionOf = (header: Header | undefined): bigint => int(header?.revision)

export const toMember = ({ ID, name, peerURLs, clientURLs, isLearner }: WireMember): EtcdMember => ({
  id: int(ID),
  name: name ?? '',
  peerUrls: peerURLs ?? [],
  clientUrls: clientURLs ?? [],
  isLearner: isLearner ?? false,
})

export const toStatus = (wire: WireStatus): MemberStatus => ({
  id: int(wire.header?.member_id),
  version: wire.version ?? '',
  storageVersion: wire.storageVersion ?? '',
  leader: int(wire.leader),
  isLearner: wire.isLearner ?? false,
  dbSize: Number(wire.dbSize ?? 0),
  dbSizeInUse: Number(wire.dbSizeInUse ?? 0),
  dbSizeQuota: Number(wire.dbSizeQuota ?? 0),
  raftIndex: int(wire.raftIndex),
  raftTerm: int(wire.raftTerm),
  raftAppliedIndex: int(wire.raftAppliedIndex),
  revision: revisionOf(wire.header),
  errors: wire.errors ?? [],
})

const toKeyValue = (wire: WireKeyValue): KeyValue => ({
  key: bytes(wire.key),
  value: bytes(wire.value),
  createRevision: int(wire.create_revision),
  modRevision: int(wire.mod_revision),
  version: int(wire.version),
  lease: int(wire.lease),
})

export const toRange = ({ header, kvs = [], count, more }: WireRange): RangeAnswer => ({
  revision: revisionOf(header),
  kvs: kvs.map(toKeyValue),
  count: Number(count ?? 0),
  more: more ?? false,
})

/** No key is empty: asked for together with an end, the empty one is where all begin. */
export const fromKeys = (key: string | Buffer, rangeEnd: string | Buffer | undefined) => ({
  key: base64(key.length === 0 && rangeEnd !== undefined ? '\0' : key),
  ...(rangeEnd !== undefined && { range_end: base64(rangeEnd) }),
})

export const fromRange = ({ key, rangeEnd, limit, keysOnly, countOnly, serializable, revision }: RangeQuery) => ({
  ...fromKeys(key, rangeEnd),
  ...(limit !== undefined && { limit: String(limit) }),
  ...(keysOnly && { keys_only: true }),
  ...(countOnly && { count_only: true }),
  ...(serializable && { serializable: true }),
  ...(revision !== undefined && { revision: String(revision) }),
})

export const toAlarm = ({ memberID, alarm }: WireAlarm): Alarm => ({
  member: int(memberID),
  alarm: alarm === 'CORRUPT' ? 'CORRUPT' : 'NOSPACE',
})
