import { UnreachableError } from './client/errors.ts'
import type { Alarm, EtcdMember, MemberId, MemberStatus, Readiness } from './client/types.ts'
import { type ClusterSpec, type MemberSpec, peerUrl, quorumOf } from './cluster.ts'
import type { Reachable } from './world.ts'

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

/** What one member said when it was asked. */
export interface Asked {
  spec: MemberSpec
  status?: MemberStatus | undefined
  readiness?: Readiness | undefined
  latencyMs?: number | undefined
  error?: Error | undefined
  /** The list as this member has it; undefined: it could not tell. */
  list?: EtcdMember[] | undefined
}

/** How long a member may take for each answer. Milliseconds. */
const answerMs = 3000

/** Asks all members of the inventory at the same time. Members that do not answer are in the view; throws only the signal's reason. */
export async function lookAt(world: Reachable): Promise<ClusterView> {
  const asked = await Promise.all(world.state.spec.members.map(spec => ask(world, spec)))
  world.signal.throwIfAborted()
  return clusterView(world.state.spec, asked)
}

async function ask(world: Reachable, spec: MemberSpec): Promise<Asked> {
  const client = world.clientOf(spec)
  const limits = { timeoutMs: Math.min(answerMs, world.timeoutMs) }
  try {
    await client.status(limits)
    const started = performance.now()
    const status = await client.status(limits)
    const latencyMs = performance.now() - started
    const [readiness, list] = await Promise.all([
      client.readiness(limits).catch(notReady),
      // Learners refuse it; where it lacks a quorum a member still has its own.
      client.members({ linearizable: false, ...limits }).catch(() => undefined),
    ])
    return { spec, status, readiness, latencyMs, list }
  } catch (error) {
    return { spec, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** Without a quorum it is silent for longer than anybody wants to wait. */
const notReady = (error: unknown): Readiness => ({
  ready: false,
  failed: [error instanceof UnreachableError && error.failure === 'timeout' ? 'no answer' : String(error)],
})

/** Puts together what the members said. Pure. */
export function clusterView(spec: Pick<ClusterSpec, 'ports'>, asked: readonly Asked[]): ClusterView {
  const leaderId = majorityLeader(asked.flatMap(({ status }) => status ?? []))
  const list = bestList(asked, leaderId)
  const members = asked.map(({ list: _, ...each }): MemberView => ({ ...each, member: entryOf(each, list, spec) }))
  const known = new Set(members.flatMap(({ member }) => member?.id ?? []))
  const voters = list.filter(({ isLearner }) => !isLearner).length
  const healthyVoters = members.filter(view => isHealthyVoter(view, leaderId)).length
  return {
    members,
    strangers: list.filter(({ id }) => !known.has(id)),
    leader: leaderId === undefined ? undefined : members.find(({ member }) => member?.id === leaderId),
    voters,
    healthyVoters,
    hasQuorum: voters > 0 && leaderId !== undefined && healthyVoters >= quorumOf(voters),
  }
}

function majorityLeader(statuses: readonly MemberStatus[]): MemberId | undefined {
  const votes = new Map<MemberId, number>()
  for (const { leader } of statuses) if (leader !== 0n) votes.set(leader, (votes.get(leader) ?? 0) + 1)
  return [...votes].find(([, count]) => count > statuses.length / 2)?.[0]
}

/** The leader's; without one that of the member that has applied most, because a member that was cut off has an old one. */
function bestList(asked: readonly Asked[], leaderId: MemberId | undefined): EtcdMember[] {
  const tellers = asked.filter(({ list }) => list !== undefined)
  const leader = tellers.find(({ status }) => status?.id === leaderId)
  const newest = tellers.toSorted((a, b) => Number(applied(b) - applied(a)))[0]
  return (leader ?? newest)?.list ?? []
}

const applied = ({ status }: Asked): bigint => status?.raftAppliedIndex ?? 0n

/** By its id, else by where it is: a member that never started has no name. */
function entryOf(
  { spec, status }: Asked,
  list: readonly EtcdMember[],
  cluster: Pick<ClusterSpec, 'ports'>,
): EtcdMember | undefined {
  const url = peerUrl(spec, cluster)
  return (
    list.find(({ id }) => id === status?.id) ??
    list.find(({ peerUrls }) => peerUrls.includes(url)) ??
    list.find(({ name }) => name === spec.name)
  )
}

function isHealthyVoter({ member, status }: MemberView, leaderId: MemberId | undefined): boolean {
  if (!member || member.isLearner || !status || status.leader === 0n || status.leader !== leaderId) return false
  return member.id === status.id && status.errors.every(isAlarm)
}

/** `memberID:10501334649042878790 alarm:NOSPACE` among a status's errors. */
const isAlarm = (error: string): boolean => /alarm:/i.test(error)

/**
 * Alarms as the members carry them in their status: known without a quorum, too. Pure.
 * etcd writes them as `memberID:10501334649042878790 alarm:NOSPACE`.
 */
export function alarmsIn({ members }: ClusterView): Alarm[] {
  const found = new Map<string, Alarm>()
  for (const error of members.flatMap(({ status }) => status?.errors ?? [])) {
    const [, id, alarm] = /memberID:(\d+)\s+alarm:(NOSPACE|CORRUPT)/.exec(error) ?? []
    if (id !== undefined) found.set(`${id} ${alarm}`, { member: BigInt(id), alarm: alarm as Alarm['alarm'] })
  }
  return [...found.values()]
}
