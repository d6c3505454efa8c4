import { hostname, userInfo } from 'node:os'
import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import { adminIdentity } from './certificates.ts'
import { code, EtcdError } from './client/errors.ts'
import { createEtcdClient } from './client/gateway.ts'
import { isTransient } from './client/retry.ts'
import type { EtcdClient } from './client/types.ts'
import { clientUrl, quorumOf } from './cluster.ts'
import { agreedLeader } from './waits.ts'
import type { EtcdWorld } from './world.ts'

/** Gone with its lease when the tool that holds it is gone. */
export const lockKey = 'karmada-net.io/lock'
const leaseSeconds = 30
const renewMs = 10_000
const callMs = 3000
const refusesWrites: number[] = [code.resourceExhausted, code.dataLoss]
/** An election is over by then. */
const patienceMs = 5000

/** Who changes the cluster now, as the key says it. */
export interface Holder {
  /** `alice@laptop`. */
  who: string
  /** Where that one keeps the cluster's state. */
  where: string
  /** `member replace m2`. */
  what: string
  /** RFC 3339. */
  since: string
  /** Tells two runs of one machine apart. */
  pid: number
}

/**
 * Does `work` while no other tool changes this cluster: locks the store, and while there is a quorum the cluster itself, for those who
 * work from another machine. Throws UserError naming the other holder. A lock that a killed run left ends by itself after 30 s.
 */
export async function withLock<T>(
  world: EtcdWorld,
  what: string,
  work: () => Promise<T>,
  { midRestore = false }: LockOptions = {},
): Promise<T> {
  const release = await world.store.lock(what)
  try {
    if (!midRestore) refuseMidRestore(world)
    const held = await lockCluster(world, what)
    try {
      return await work()
    } finally {
      await held?.release()
    }
  } finally {
    await release()
  }
}

export interface LockOptions {
  /** Also in the middle of a restore that waits for the owners of machines. */
  midRestore?: boolean
}

/** What is remembered is ahead of the members then: started by it before they are restored they would begin empty. */
export function refuseMidRestore({ state, driverOf }: Pick<EtcdWorld, 'state' | 'driverOf'>): void {
  const { restoring, spec } = state
  const byHand = spec.members.filter(member => restoring?.members.includes(member.name) && !driverOf(member).acts)
  if (!restoring || byHand.length === 0) return
  throw new UserError(`a restore was begun, and waits for ${byHand.map(({ name }) => name).join(', ')}`, {
    hint: `kubectl karmada-net etcd snapshot restore ${restoring.file} goes on; another snapshot begins another one`,
  })
}

interface Held {
  release(): Promise<void>
}

/** Undefined: nobody could take it, because the cluster takes no writes. */
async function lockCluster(world: EtcdWorld, what: string): Promise<Held | undefined> {
  const me = holderOf(world, what)
  const end = performance.now() + patienceMs
  for (; performance.now() < end; await pause(200, world.signal)) {
    const { client, electing } = await leaderClient(world)
    if (!client && !electing) return undefined
    if (!client) continue
    try {
      return keepAlive(world, client, await take(client, me), me)
    } catch (error) {
      client.close()
      // Full or corrupt: a lease is a write, and what cures it must be allowed to run.
      if (error instanceof EtcdError && refusesWrites.includes(error.code)) return undefined
      if (!isTransient(error)) throw error
    }
  }
  return undefined
}

const holderOf = ({ store, now }: EtcdWorld, what: string): Holder => ({
  who: `${userInfo().username}@${hostname()}`,
  where: store.where,
  what,
  since: new Date(now()).toISOString(),
  pid: process.pid,
})

/**
 * To the leader, with a connection of its own that Ctrl-C does not end: the lock must still be let go. `electing`: there is none that
 * answers, but enough members to make one.
 */
async function leaderClient(world: EtcdWorld): Promise<{ client?: EtcdClient; electing: boolean }> {
  const { members } = world.state.spec
  const limits = { timeoutMs: callMs }
  const asked = await Promise.all(
    members.map(async spec => ({
      spec,
      status: await world
        .clientOf(spec)
        .status(limits)
        .catch(() => undefined),
    })),
  )
  const statuses = asked.flatMap(({ status }) => status ?? [])
  const leader = agreedLeader(statuses, members.length)
  const found = asked.find(({ status }) => status !== undefined && status.id === leader)
  if (!found) return { electing: statuses.length >= quorumOf(members.length) }
  const url = clientUrl(found.spec, world.state.spec)
  return { client: createEtcdClient(url, () => adminIdentity(world.store), limits), electing: false }
}

async function take(client: EtcdClient, me: Holder): Promise<bigint> {
  const lease = await client.grantLease(leaseSeconds)
  if (await client.putNew(lockKey, JSON.stringify(me), { lease })) return lease
  const { kvs } = await client.range({ key: lockKey })
  const other = parseHolder(kvs[0]?.value.toString())
  // We hold the store's lock, so who held this one with the same store is dead.
  if (kvs[0] && (!other || isLeftOver(other, me))) await client.deleteRange(lockKey)
  if (!kvs[0] || !other || isLeftOver(other, me)) {
    if (await client.putNew(lockKey, JSON.stringify(me), { lease })) return lease
  }
  await client.revokeLease(lease)
  throw taken(other, me)
}

const isLeftOver = (other: Holder, me: Holder): boolean => other.who === me.who && other.where === me.where

/** Undefined: what is there was not written by us. */
export function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const holder = JSON.parse(text ?? '') as Partial<Holder>
    return typeof holder.who === 'string' && typeof holder.what === 'string' ? (holder as Holder) : undefined
  } catch {
    return undefined
  }
}

/** What the second tool reads. Pure. */
export function taken(other: Holder | undefined, me: Pick<Holder, 'since'>): UserError {
  const seconds = other ? Math.round((Date.parse(me.since) - Date.parse(other.since)) / 1000) : Number.NaN
  const since = Number.isFinite(seconds) ? `, since ${other?.since} (${Math.max(0, seconds)}s ago)` : ''
  const holder = other ? `${other.who} runs "etcd ${other.what}" on it${since}` : 'another run has its lock'
  return new UserError(`this etcd cluster is being changed: ${holder}`, {
    hint: `wait for it, then run the same command again; a lock that a killed run left ends after ${leaseSeconds}s`,
  })
}

/** Renews the lease until it is released; a lost one is taken anew as soon as the cluster takes writes again. */
function keepAlive(world: EtcdWorld, first: EtcdClient, firstLease: bigint, me: Holder): Held {
  let client = first
  let lease = firstLease
  let renewing: Promise<void> = Promise.resolve()
  async function renew(): Promise<void> {
    try {
      if (!(await client.keepLease(lease))) lease = await take(client, me)
    } catch {
      // That member is down, or does not lead any more; the next round asks another one, long before the lease ends.
      const { client: other } = await leaderClient(world)
      if (!other) return
      client.close()
      client = other
    }
  }
  const timer = setInterval(() => {
    renewing = renewing.then(renew)
  }, renewMs)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      await renewing
      const revoked = await client.revokeLease(lease).then(
        () => true,
        () => false,
      )
      client.close()
      if (revoked) return
      const { client: other } = await leaderClient(world)
      await other?.revokeLease(lease).catch(() => {})
      other?.close()
    },
  }
}
