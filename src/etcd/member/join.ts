import { UserError } from '../../errors.ts'
import { pause } from '../../kube/pause.ts'
import type { Progress } from '../../steps/step.ts'
import { authorityOf, memberFiles, whyDeliver } from '../certificates.ts'
import { type EtcdClient, type EtcdMember, hexId, type MemberId } from '../client/types.ts'
import { type ClusterState, type MemberSpec, peerUrl } from '../cluster.ts'
import { isCorrupt } from '../corruption.ts'
import { launchOf } from '../launch.ts'
import { among, sameData } from '../same-data.ts'
import { lookAt } from '../view.ts'
import { waitForLeader, waitForReady } from '../waits.ts'
import type { EtcdWorld } from '../world.ts'
import { askLeader, entryOf, listed, removeEntry } from './ask.ts'
import type { MemberStep } from './step.ts'

/** By hand 0.6 s for a small database; it answers only once it has all of it. Milliseconds. */
const startMs = 60_000
const slowestBytesPerMs = 5000
/** Nothing is ever stored under it. */
const nudgeKey = 'karmada-net.io/nudge'
const nudgeMs = 1000

/** From an empty place to a voter that has everything: each step finds out by itself whether it is still needed. */
export function joinSteps(member: MemberSpec, { learner = false } = {}): MemberStep[] {
  const steps = [addStep(member), startStep(member)]
  return learner ? steps : [...steps, promoteStep(member), readyStep(member)]
}

const addStep = (member: MemberSpec): MemberStep => ({
  title: `${member.name} added as learner`,
  would: `add ${member.name} to the member list as a learner, which has no vote yet`,
  async run(world, progress) {
    const url = peerUrl(member, world.state.spec)
    const add = async (client: EtcdClient, list: EtcdMember[]) => {
      const there = entryOf(list, member, world.state.spec)
      if (there) return { entry: there, changed: false }
      return { entry: await client.addMember(url, { learner: true }), changed: true }
    }
    const { entry, changed } = await askLeader(world, add, { progress })
    return { changed, detail: `${hexId(entry.id)}, ${url}` }
  },
})

const startStep = (member: MemberSpec): MemberStep => ({
  title: `${member.name} started on empty data`,
  would: `start etcd of ${member.name} in an empty data directory; the leader sends it all data`,
  async run(world, progress) {
    const driver = world.driverOf(member)
    const list = await listed(world, { progress })
    const entry = entryOf(list, member, world.state.spec)
    if (!entry) throw gone(member)
    await deliverIfNeeded(world, member)
    const members = list.map(each => ({
      name: each.id === entry.id ? member.name : each.name || hexId(each.id),
      peerUrl: each.peerUrls[0] ?? '',
    }))
    const launch = launchOf(world.state, member, driver.paths, { state: 'existing', members })
    const changed = await driver.start(launch)
    if (entry.isLearner) await waitForLearner(world, member, entry.id, progress)
    return { changed, detail: `${launch.version}, ${driver.where}` }
  },
})

/** Certificates stay as they are where they do; a new disk has none. */
async function deliverIfNeeded(world: EtcdWorld, member: MemberSpec): Promise<void> {
  const driver = world.driverOf(member)
  const [authority, { delivered }] = await Promise.all([authorityOf(world.store), driver.inspect()])
  const need = { authority, member, now: new Date(world.now()) }
  if (whyDeliver(delivered, need)) await driver.deliver(memberFiles(authority, member, world.state.spec.keyType))
}

/**
 * Until it has made itself known: one that is promoted before serves nothing for 7 s. One that never does is taken off the list again,
 * so that nobody counts on it.
 */
async function waitForLearner(world: EtcdWorld, member: MemberSpec, id: MemberId, progress: Progress): Promise<void> {
  const driver = world.driverOf(member)
  const { status: leading } = await waitForLeader(world, { progress })
  const patienceMs = driver.acts ? Math.min(startMs, world.timeoutMs) : world.timeoutMs
  const limitMs = patienceMs + (leading?.dbSize ?? 0) / slowestBytesPerMs
  const end = performance.now() + limitMs
  let last = 'does not answer'
  let nudged = performance.now()
  while (performance.now() < end) {
    if (performance.now() - nudged > nudgeMs) {
      nudged = performance.now()
      await nudge(world, member)
    }
    try {
      const status = await world.clientOf(member).status({ timeoutMs: 1500 })
      if (status.id === id && (status.isLearner || status.leader !== 0n)) return
      last = status.id === id ? 'has not heard of the cluster yet' : `says it is ${hexId(status.id)}, not ${hexId(id)}`
    } catch (error) {
      world.signal.throwIfAborted()
      // A certificate that was only just put there may still be refused.
      last = error instanceof Error ? error.message : String(error)
    }
    progress(driver.acts ? last : `start etcd of ${member.name} (${driver.where}): ${last}`, driver.todo?.('install'))
    await pause(100, world.signal)
  }
  await removeEntry(world, id)
  const { said } = await driver.inspect()
  const words = said ?? (await driver.logs(5).catch(() => ''))
  // Best effort: once off the list it ends by itself.
  await driver.stop().catch(() => world.signal.throwIfAborted())
  throw new UserError(
    `${member.name} did not come up in ${Math.round(limitMs / 1000)}s: ${last}; it was taken off the member list again${words ? `\n${words.trim()}` : ''}`,
    { hint: 'once that is cured, the same command again' },
  )
}

/**
 * A raft entry that changes nothing. A newcomer that was sent a snapshot, because the log no longer begins at its beginning, gets the
 * entries after it only with the next one (etcd 3.6.16): in a cluster that nobody writes to it would wait for ever.
 */
async function nudge(world: EtcdWorld, newcomer: MemberSpec): Promise<void> {
  const others = world.state.spec.members.filter(({ name }) => name !== newcomer.name)
  const asked = others.map(async each => world.clientOf(each).deleteRange(nudgeKey, undefined, { timeoutMs: 1000 }))
  await Promise.any(asked).catch(() => world.signal.throwIfAborted())
}

const gone = ({ name }: MemberSpec): UserError =>
  new UserError(`${name} was taken off the member list meanwhile`, { hint: 'the same command again starts over' })

export const promoteStep = (member: MemberSpec): MemberStep => ({
  title: `${member.name} promoted`,
  would: `wait until ${member.name} has caught up, then give it a vote`,
  async run(world, progress) {
    const promote = async (client: EtcdClient, list: EtcdMember[]) => {
      const entry = entryOf(list, member, world.state.spec)
      if (!entry) throw gone(member)
      if (!entry.isLearner) return { changed: false, voters: votersIn(list) }
      await client.promoteMember(entry.id)
      return { changed: true, voters: votersIn(list) + 1 }
    }
    const { changed, voters } = await askLeader(world, promote, { forMs: world.timeoutMs, progress })
    return { changed, detail: `${voters} voters` }
  },
})

const votersIn = (list: readonly EtcdMember[]): number => list.filter(({ isLearner }) => !isLearner).length

export const readyStep = (member: MemberSpec): MemberStep => ({
  title: 'Ready, same data everywhere',
  would: `wait until ${member.name} serves reads; compare the data of all members at one revision`,
  async run(world, progress) {
    await waitForReady(world, member, progress, { corrupt: true })
    const revision = await sameDataOfThoseUp(world)
    const disarmed = await disarmCorrupt(world)
    if (disarmed) await waitForReady(world, member, progress)
    return { changed: disarmed, detail: `revision ${revision}${disarmed ? ', CORRUPT disarmed' : ''}` }
  },
})

/** Once all have the same data. It stays with the cluster when the member that it names is gone, and no write is taken. True: there was one. */
export async function disarmCorrupt(world: EtcdWorld): Promise<boolean> {
  if (!isCorrupt(await lookAt(world))) return false
  return askLeader(world, async client => {
    const alarms = (await client.alarms()).filter(({ alarm }) => alarm === 'CORRUPT')
    for (const alarm of alarms) await client.disarm(alarm)
    return alarms.length > 0
  })
}

/** Of five one may be down all the while. */
export async function sameDataOfThoseUp(world: EtcdWorld): Promise<bigint> {
  const view = await lookAt(world)
  const up = view.members.filter(({ status }) => status).map(({ spec }) => spec)
  return sameData(among(world, up))
}

/**
 * Where the next life of a member begins. A directory that was started in is never started in again as something new: an etcd without its
 * log forgets what it promised. Pure.
 */
export function nextGeneration(remembered: number | undefined, started: number | undefined): number {
  if (remembered === undefined) return (started ?? 0) + 1
  // Chosen by a run that was cut off before it started anything there.
  if (started !== undefined && started < remembered) return remembered
  return Math.max(remembered, started ?? 0) + 1
}

/** The state with `member` in it, at an unused data directory. */
export function withMember(state: ClusterState, member: MemberSpec, generation: number): ClusterState {
  const { spec } = state
  const others = spec.members.filter(({ name }) => name !== member.name)
  const at = spec.members.findIndex(({ name }) => name === member.name)
  const members = at < 0 ? [...others, member] : spec.members.with(at, member)
  return {
    ...state,
    spec: { ...spec, members },
    members: { ...state.members, [member.name]: { version: spec.version, ...state.members[member.name], generation } },
  }
}

export const withoutMember = (state: ClusterState, name: string): ClusterState => ({
  ...state,
  spec: { ...state.spec, members: state.spec.members.filter(member => member.name !== name) },
  members: Object.fromEntries(Object.entries(state.members).filter(([each]) => each !== name)),
})
