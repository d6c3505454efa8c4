import { parseAnswer, parseStream } from './answers.ts'
import { type Connection, createConnection, type Limits } from './connection.ts'
import { code, EtcdError } from './errors.ts'
import { snapshotStream } from './snapshot-stream.ts'
import type { CallLimits, ClientIdentity, EtcdClient, Readiness } from './types.ts'
import {
  base64,
  fromKeys,
  fromRange,
  type Header,
  revisionOf,
  toAlarm,
  toMember,
  toRange,
  toStatus,
  type WireAlarm,
  type WireMember,
  type WireRange,
  type WireStatus,
} from './wire.ts'

/** Calls that walk through the whole database. Milliseconds. */
const longMs = { compact: 60_000, hash: 60_000, defragment: 10 * 60_000 }
/** How long a snapshot may stand still. Milliseconds. */
const stillMs = 30_000

type Post = <T>(
  path: string,
  body: object,
  limits?: CallLimits,
  options?: { atLeastMs?: number; read?: boolean },
) => Promise<T>

/**
 * A client of the member at `endpoint`. Touches neither files nor the network before its first call; `identity` is asked again
 * after a certificate was refused. `timeoutMs`: of one call that names none, default 5 s, more for those that walk the database.
 */
export function createEtcdClient(
  endpoint: string,
  identity: () => Promise<ClientIdentity>,
  options: CallLimits = {},
): EtcdClient {
  const connection = createConnection(endpoint, identity)
  const limitsOf = (own: CallLimits = {}, atLeastMs = 0): Limits => ({
    timeoutMs: own.timeoutMs ?? Math.max(options.timeoutMs ?? 5000, atLeastMs),
    signal: eitherOf(own.signal, options.signal),
  })
  const post: Post = async (path, body, limits, { atLeastMs, read } = {}) => {
    const call = { method: 'POST', path, body: JSON.stringify(body), repeatable: read } as const
    return parseAnswer(endpoint, await connection.ask(call, limitsOf(limits, atLeastMs)))
  }
  return {
    endpoint,
    ...clusterCalls(post),
    ...keyCalls(post),
    ...leaseCalls(post, connection, limitsOf),
    ...maintenanceCalls(post),
    ...probes(connection, limitsOf),
    snapshot: limits => snapshotStream(connection, limitsOf(limits, stillMs)),
    close: connection.close,
  }
}

const eitherOf = (one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined =>
  one && other && one !== other ? AbortSignal.any([one, other]) : (one ?? other)

const clusterCalls = (
  post: Post,
): Pick<EtcdClient, 'members' | 'addMember' | 'removeMember' | 'promoteMember' | 'moveLeader'> => ({
  async members({ linearizable, ...limits }) {
    const path = '/v3/cluster/member/list'
    const { members = [] } = await post<{ members?: WireMember[] }>(path, { linearizable }, limits, { read: true })
    return members.map(toMember)
  },
  async addMember(peerUrl, { learner, ...limits }) {
    const body = { peerURLs: [peerUrl], isLearner: learner }
    const { member = {} } = await post<{ member?: WireMember }>('/v3/cluster/member/add', body, limits)
    return toMember(member)
  },
  async removeMember(id, limits) {
    await post('/v3/cluster/member/remove', { ID: String(id) }, limits)
  },
  async promoteMember(id, limits) {
    await post('/v3/cluster/member/promote', { ID: String(id) }, limits)
  },
  async moveLeader(to, limits) {
    await post('/v3/maintenance/transfer-leadership', { targetID: String(to) }, limits)
  },
})

const keyCalls = (post: Post): Pick<EtcdClient, 'range' | 'put' | 'putNew' | 'deleteRange' | 'compact'> => ({
  async range(query, limits) {
    return toRange(await post<WireRange>('/v3/kv/range', fromRange(query), limits, { read: true }))
  },
  async put(key, value, { lease, ...limits } = {}) {
    const { header } = await post<{ header?: Header }>('/v3/kv/put', putRequest(key, value, lease), limits)
    return revisionOf(header)
  },
  async putNew(key, value, { lease, ...limits } = {}) {
    const body = {
      compare: [{ target: 'CREATE', result: 'EQUAL', key: base64(key), create_revision: '0' }],
      success: [{ request_put: putRequest(key, value, lease) }],
    }
    const { succeeded = false } = await post<{ succeeded?: boolean }>('/v3/kv/txn', body, limits)
    return succeeded
  },
  async deleteRange(key, rangeEnd, limits) {
    const { deleted } = await post<{ deleted?: string }>('/v3/kv/deleterange', fromKeys(key, rangeEnd), limits)
    return Number(deleted ?? 0)
  },
  async compact(revision, limits) {
    const body = { revision: String(revision), physical: true }
    await post('/v3/kv/compaction', body, limits, { atLeastMs: longMs.compact }).catch(unlessCompacted)
  },
})

const putRequest = (key: string | Buffer, value: string | Buffer, lease: bigint | undefined) => ({
  key: base64(key),
  value: base64(value),
  ...(lease !== undefined && { lease: String(lease) }),
})

function unlessCompacted(error: unknown): void {
  if (error instanceof EtcdError && error.code === code.outOfRange && error.said.includes('has been compacted')) return
  throw error
}

const leaseCalls = (
  post: Post,
  connection: Connection,
  limitsOf: (own?: CallLimits) => Limits,
): Pick<EtcdClient, 'grantLease' | 'keepLease' | 'revokeLease'> => ({
  async grantLease(seconds, limits) {
    const { ID = '0' } = await post<{ ID?: string }>('/v3/lease/grant', { TTL: String(seconds) }, limits)
    return BigInt(ID)
  },
  async keepLease(id, limits) {
    const call = { method: 'POST', path: '/v3/lease/keepalive', body: JSON.stringify({ ID: String(id) }) } as const
    const answer = await connection.ask(call, limitsOf(limits))
    const [kept] = parseStream<{ TTL?: string }>(connection.endpoint, answer)
    return Number(kept?.TTL ?? 0) > 0
  },
  async revokeLease(id, limits) {
    await post('/v3/lease/revoke', { ID: String(id) }, limits)
  },
})

const maintenanceCalls = (post: Post): Pick<EtcdClient, 'status' | 'alarms' | 'disarm' | 'defragment' | 'hashKv'> => ({
  async status(limits) {
    return toStatus(await post<WireStatus>('/v3/maintenance/status', {}, limits, { read: true }))
  },
  async alarms(limits) {
    const path = '/v3/maintenance/alarm'
    const { alarms = [] } = await post<{ alarms?: WireAlarm[] }>(path, { action: 'GET' }, limits, { read: true })
    return alarms.map(toAlarm)
  },
  async disarm({ member, alarm }, limits) {
    await post('/v3/maintenance/alarm', { action: 'DEACTIVATE', memberID: String(member), alarm }, limits)
  },
  async defragment(limits) {
    await post('/v3/maintenance/defragment', {}, limits, { atLeastMs: longMs.defragment })
  },
  async hashKv(revision, limits) {
    const limited = { atLeastMs: longMs.hash, read: true }
    const answer = await post<{ hash?: number; compact_revision?: string }>(
      '/v3/maintenance/hashkv',
      { revision: String(revision) },
      limits,
      limited,
    )
    return { hash: answer.hash ?? 0, compactRevision: BigInt(answer.compact_revision ?? 0) }
  },
})

const probes = (
  connection: Connection,
  limitsOf: (own?: CallLimits) => Limits,
): Pick<EtcdClient, 'readiness' | 'versions'> => ({
  async readiness(limits) {
    return toReadiness(await connection.ask({ method: 'GET', path: '/readyz', repeatable: true }, limitsOf(limits)))
  },
  async versions(limits) {
    const answer = await connection.ask({ method: 'GET', path: '/version', repeatable: true }, limitsOf(limits))
    const {
      etcdserver = '',
      etcdcluster = '',
      storage,
    } = parseAnswer<Record<string, string>>(connection.endpoint, answer)
    return { server: etcdserver, cluster: etcdcluster, storage: storage || undefined }
  },
})

/** `[+]data_corruption ok` for each part, `[-]non_learner failed: ...` where it is not. */
function toReadiness({ status, text }: { status: number; text: string }): Readiness {
  const failed = text
    .split('\n')
    .filter(line => line.startsWith('[-]'))
    .map(line => line.slice('[-]'.length).trim())
  const ready = status === 200
  return { ready, failed: ready || failed.length > 0 ? failed : [text.trim() || `HTTP ${status}`] }
}
