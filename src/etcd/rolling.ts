import { UserError } from '../errors.ts'
import type { Progress } from '../steps/step.ts'
import { retrying } from './client/retry.ts'
import { type MemberSpec, quorumOf } from './cluster.ts'
import { refuseCorrupt } from './corruption.ts'
import { type ClusterView, lookAt, type MemberView } from './view.ts'
import { waitForHealthy, waitForLeader, waitForReady } from './waits.ts'
import type { EtcdWorld } from './world.ts'

export interface RollingOptions {
  progress?: Progress | undefined
  /** Names of those to be done; default: all. */
  only?: readonly string[] | undefined
  /** The one that an earlier run was cut off at: it may be down, and comes first. */
  inHand?: string | undefined
}

/** How often leadership may have gone elsewhere by itself. */
const handOvers = 5
const handOverMs = 15_000

/**
 * Acts on one member after the other: followers first, each ready and the cluster healthy before the next; the leader last, after it
 * has handed its leadership over. `perMember` stops or restarts that member and may return while it is still coming up.
 * Throws UserError before it touches anything while another member is down, and when one does not come back.
 */
export async function rolling(
  world: EtcdWorld,
  perMember: (member: MemberSpec) => Promise<void>,
  { progress = () => {}, only, inHand }: RollingOptions = {},
): Promise<void> {
  const left = new Set(only ?? world.state.spec.members.map(({ name }) => name))
  let moved = 0
  let begun = inHand
  while (left.size > 0) {
    const view = await lookAt(world)
    const { member, leads } = nextMember(view, [...left], begun)
    const say: Progress = waitingFor => progress(`${member.spec.name}: ${waitingFor}`)
    if (leads && view.members.length > 1) {
      if (++moved > handOvers) throw new UserError(`leadership does not stay away from ${member.spec.name}`)
      await handOver(world, view, member, say)
      continue
    }
    progress(member.spec.name)
    await perMember(member.spec)
    await waitForReady(world, member.spec, say)
    await waitForHealthy(world, say)
    left.delete(member.spec.name)
    begun = undefined
  }
}

/**
 * Whose turn it is, and whether it has to hand over its leadership first. Pure.
 * Throws UserError where a member is down that is not the one in hand, no leader is agreed on, a member change is under way, or data differ.
 */
export function nextMember(
  view: ClusterView,
  left: readonly string[],
  inHand?: string | undefined,
): { member: MemberView; leads: boolean } {
  refuseCorrupt(view)
  const { members, strangers, leader, voters } = view
  const down = members.filter(view => !isWell(view))
  const cutOff = members.find(({ spec }) => spec.name === inHand && left.includes(spec.name))
  const others = down.filter(view => view !== cutOff)
  if (others.length > 0) throw belowQuorum(others, voters || members.length, members.length - down.length)
  if (!leader && !cutOff) {
    throw new UserError('there is no leader that more than half of the members agree on', {
      hint: 'kubectl karmada-net etcd status',
    })
  }
  if (strangers.length > 0 || members.some(({ status }) => status?.isLearner)) {
    throw new UserError('a change of members is under way, or was cut off', {
      hint: 'kubectl karmada-net etcd status names who is not settled; end that first',
    })
  }
  const waiting = members.filter(({ spec }) => left.includes(spec.name))
  const isLeader = (view: MemberView) => view.spec.name === leader?.spec.name
  const next = cutOff ?? waiting.find(view => !isLeader(view)) ?? waiting[0]
  if (!next) throw new Error('no member is left')
  return { member: next, leads: isWell(next) && isLeader(next) }
}

const isWell = ({ status, readiness }: MemberView): boolean =>
  status !== undefined && status.leader !== 0n && (status.isLearner || readiness?.ready === true)

function belowQuorum(down: MemberView[], voters: number, well: number): UserError {
  const names = down.map(({ spec }) => spec.name).join(', ')
  const quorum = quorumOf(voters)
  const then =
    well - 1 < quorum
      ? `with another one restarting ${Math.max(0, well - 1)} of ${voters} would be left, and ${quorum} are needed`
      : 'all must be healthy before one is restarted'
  const said = down.map(({ error, readiness }) => error?.message ?? readiness?.failed.join(', ')).find(Boolean)
  return new UserError(`${names} ${down.length === 1 ? 'is' : 'are'} down: ${then}${said ? ` (${said})` : ''}`, {
    hint: `bring ${names} back, or: kubectl karmada-net etcd member replace ${down[0]?.spec.name}`,
  })
}

/** To the follower that has applied most. Answers once two members name another leader. */
async function handOver(world: EtcdWorld, view: ClusterView, leader: MemberView, progress: Progress): Promise<void> {
  const to = heir(view, leader)
  if (!to?.status || !leader.status) throw new UserError(`nobody can take the leadership over from ${leader.spec.name}`)
  const { id } = to.status
  progress(`leadership goes to ${to.spec.name}`)
  const client = world.clientOf(leader.spec)
  const moved = () => client.moveLeader(id, { timeoutMs: handOverMs })
  try {
    await retrying(moved, { forMs: Math.min(handOverMs, world.timeoutMs), signal: world.signal })
  } catch (error) {
    // It went elsewhere by itself in the meantime: just as well.
    const now = await lookAt(world)
    if (!now.leader || now.leader.spec.name === leader.spec.name) throw error
  }
  await waitForLeader(world, { not: leader.status.id, progress })
}

/** Pure. `eligible`: default all that are well. */
export const heir = (
  { members }: ClusterView,
  leader: MemberView,
  eligible: (member: MemberView) => boolean = isWell,
): MemberView | undefined =>
  members
    .filter(view => view !== leader && eligible(view) && !view.status?.isLearner)
    .toSorted((a, b) => Number(appliedBy(b) - appliedBy(a)))[0]

const appliedBy = ({ status }: MemberView): bigint => status?.raftAppliedIndex ?? 0n
