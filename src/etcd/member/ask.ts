import { UserError } from '../../errors.ts'
import type { Progress } from '../../steps/step.ts'
import { code, EtcdError } from '../client/errors.ts'
import { retrying } from '../client/retry.ts'
import type { EtcdClient, EtcdMember, MemberId } from '../client/types.ts'
import { type ClusterSpec, type MemberSpec, peerUrl } from '../cluster.ts'
import { lookForCorruption } from '../corruption.ts'
import { heir } from '../rolling.ts'
import { type ClusterView, lookAt } from '../view.ts'
import { waitForLeader } from '../waits.ts'
import type { EtcdWorld } from '../world.ts'
import { type Objection, whyNotWhileCorrupt } from './rules.ts'

/** An election takes 1.5 to 3.5 s; a cluster without a leader for this long has lost its quorum. Milliseconds. */
const electionMs = 15_000
/** `unhealthy cluster` is etcd's answer for 5 s after a restart, and a change that its leader died with is not answered for 7 s. */
const patienceMs = 30_000

export interface Asking {
  /** Does not count as leader any more, whatever the others still say. */
  not?: MemberId | undefined
  forMs?: number | undefined
  progress?: Progress | undefined
}

/**
 * Asks the leader, and whoever leads next when that one falls silent. After a silence the change may have happened: `ask` looks at the
 * list before it acts, every time.
 */
export function askLeader<T>(
  world: EtcdWorld,
  ask: (client: EtcdClient, list: EtcdMember[]) => Promise<T>,
  { not, forMs = patienceMs, progress }: Asking = {},
): Promise<T> {
  const attempt = async () => {
    const leader = await waitForLeader(world, { not, progress })
    const client = world.clientOf(leader.spec)
    return ask(client, await client.members({ linearizable: true }))
  }
  return retrying(attempt, { forMs, signal: world.signal, onRetry: error => progress?.(error.message) })
}

/** The member list as a quorum has it. */
export const listed = (world: EtcdWorld, options?: Asking): Promise<EtcdMember[]> =>
  askLeader(world, async (_, list) => list, options)

/** The entry of this member, be it that it has not started yet, or that it had another address. Pure. */
export function entryOf(
  list: readonly EtcdMember[],
  member: MemberSpec,
  spec: Pick<ClusterSpec, 'ports'>,
): EtcdMember | undefined {
  const url = peerUrl(member, spec)
  return list.find(({ peerUrls }) => peerUrls.includes(url)) ?? list.find(({ name }) => name === member.name)
}

/** A view of which the leader answers, if the cluster can still make one: in the middle of an election all would look lost. */
export async function lookSettled(world: EtcdWorld, progress?: Progress): Promise<ClusterView> {
  const brief = { ...world, timeoutMs: Math.min(electionMs, world.timeoutMs) }
  await waitForLeader(brief, { progress }).catch(error => {
    world.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
  })
  return lookAt(world)
}

/** Undefined: no CORRUPT alarm stands against it. `leaving`: see `whyNotWhileCorrupt`. */
export async function whyCorrupt(
  world: EtcdWorld,
  view: ClusterView,
  leaving?: string,
): Promise<Objection | undefined> {
  const comparison = await lookForCorruption(world, view)
  return comparison && whyNotWhileCorrupt(comparison, view.leader?.spec.name, leaving)
}

/** Takes an entry off the list. True: it was there. */
export function removeEntry(world: EtcdWorld, id: MemberId, asking?: Asking): Promise<boolean> {
  const remove = async (client: EtcdClient, list: EtcdMember[]) => {
    if (!list.some(entry => entry.id === id)) return false
    await client.removeMember(id).catch(error => {
      if (!(error instanceof EtcdError && error.code === code.notFound)) throw error
    })
    return true
  }
  return askLeader(world, remove, { ...asking, not: id })
}

/** Makes another voter the leader where `id` is it: no election, no write waits. Answers the new leader's name. */
export async function handOver(world: EtcdWorld, view: ClusterView, id: MemberId): Promise<string | undefined> {
  if (view.leader?.status?.id !== id) return undefined
  const most = (await lookForCorruption(world, view).catch(() => undefined))?.most
  // With a CORRUPT alarm none is ready, and one whose data differ must not be the next.
  const successor = most
    ? heir(view, view.leader, ({ spec, status }) => status !== undefined && most.includes(spec.name))
    : heir(view, view.leader)
  if (!successor?.status) return undefined
  // Where it does not get there, the member that goes is waited for as one that died.
  await world
    .clientOf(view.leader.spec)
    .moveLeader(successor.status.id, { timeoutMs: 5000 })
    .catch(() => world.signal.throwIfAborted())
  return successor.spec.name
}
