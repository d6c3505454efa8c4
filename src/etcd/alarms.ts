import { randomBytes } from 'node:crypto'
import { counted } from '../counted.ts'
import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import type { Progress, Step, StepGroup } from '../steps/step.ts'
import { formatBytes, formatShare } from './bytes.ts'
import { EtcdError } from './client/errors.ts'
import type { Alarm, EtcdClient, MemberStatus } from './client/types.ts'
import type { MemberSpec } from './cluster.ts'
import { defragStep, isWorthwhile, leaderLast } from './defrag.ts'
import { nameOf } from './findings.ts'
import { alarmsIn, type ClusterView, lookAt } from './view.ts'
import { sameData, waitForReady } from './waits.ts'
import type { EtcdWorld } from './world.ts'

/** An alarm that comes back within this time was not cured. Milliseconds. */
const quietMs = 5000
const compactMs = 5 * 60_000
/** How long a member's own compaction is waited for. Milliseconds. */
const backgroundMs = 20_000
/** Of the quota: from here on room is made before anything is disarmed. */
const nearShare = 0.9
/** And with so much of it still in use afterwards, the alarm would be back at once. */
const fullShare = 0.97

/** What `etcd alarms` shows. */
export interface AlarmRow {
  member: string
  id: string
  alarm: Alarm['alarm']
  meaning: string
}

export const alarmRows = (view: ClusterView, alarms: readonly Alarm[]): AlarmRow[] =>
  alarms.map(({ member, alarm }) => ({
    // etcd names nobody where no majority tells whose data are right.
    member: member === 0n ? '-' : nameOf(member, view),
    id: member.toString(16),
    alarm,
    meaning:
      alarm === 'NOSPACE'
        ? 'its database reached the quota: the whole cluster refuses writes'
        : 'data differ, perhaps its own: the whole cluster refuses writes',
  }))

export interface AlarmPlan {
  /** Free pages have to be made first: somebody's database is as large as its quota. */
  makeRoom: boolean
  /** Who is defragmented for it, the leader last. Members that do not answer are left out: their alarm can be disarmed all the same. */
  defragment: MemberSpec[]
  /** The data of all members has to be compared first. */
  compare: boolean
}

/** How to get rid of these alarms for good. Pure. Throws UserError where that takes something else. */
export function planAlarms(view: ClusterView, alarms: readonly Alarm[], quotaBytes: number): AlarmPlan {
  if (!view.hasQuorum || !view.leader) {
    throw new UserError('alarms can be disarmed only by a quorum, and there is none', {
      hint: 'kubectl karmada-net etcd status',
    })
  }
  const answering = view.members.filter(({ status }) => status && !status.isLearner)
  const nearQuota = answering.some(
    ({ status }) => status && status.dbSize > nearShare * (status.dbSizeQuota || quotaBytes),
  )
  const makeRoom = nearQuota && alarms.some(({ alarm }) => alarm === 'NOSPACE')
  return {
    makeRoom,
    defragment: makeRoom ? leaderLast(answering, view).map(({ spec }) => spec) : [],
    // Whoever it names: etcd may have named the wrong one, or nobody.
    compare: alarms.some(({ alarm }) => alarm === 'CORRUPT'),
  }
}

/** Nothing is stopped for it. Empty: there is no alarm. Throws UserError, see `planAlarms`. */
export async function disarmGroups(world: EtcdWorld): Promise<StepGroup<EtcdWorld>[]> {
  const view = await lookAt(world)
  const alarms = alarmsIn(view)
  if (alarms.length === 0) return []
  const { quotaBytes } = world.state.spec.tuning
  const { makeRoom, defragment, compare } = planAlarms(view, alarms, quotaBytes)
  const kinds = [...new Set(alarms.map(({ alarm }) => alarm))].sort()
  const room = makeRoom
    ? [
        compactStep,
        ...defragment.map(member =>
          defragStep(member, {
            before: (each, progress) => waitForCompaction(each, member, progress),
            worth: status => isFull(status, quotaBytes) || isWorthwhile(status),
            after: (each, progress) => waitForReady(each, member, progress),
          }),
        ),
        roomStep(defragment),
      ]
    : []
  return [{ steps: [...(compare ? [compareStep] : []), ...room, disarmStep(kinds), writeStep, quietStep(makeRoom)] }]
}

/**
 * A compaction answers when the member that was asked has carried it out; the others go on behind it, and a run that was cut off may have
 * left them in the middle.
 */
async function waitForCompaction(world: EtcdWorld, member: MemberSpec, progress: Progress): Promise<void> {
  const client = world.clientOf(member)
  const end = performance.now() + backgroundMs
  for (let used = Number.POSITIVE_INFINITY; performance.now() < end; await pause(500, world.signal)) {
    const { dbSizeInUse } = await client.status()
    if (dbSizeInUse >= used) return
    progress(`its compaction goes on, ${formatBytes(dbSizeInUse)} in use`)
    used = dbSizeInUse
  }
}

/** What a member calls in use is what was so at its last write, and it takes none: a full one is rewritten whatever it says. */
const isFull = ({ dbSize, dbSizeQuota }: MemberStatus, quotaBytes: number): boolean =>
  dbSize > nearShare * (dbSizeQuota || quotaBytes)

/** Of the leader: it knows first what is so. Throws UserError without one. */
async function leaderClient(world: EtcdWorld): Promise<EtcdClient> {
  const { leader } = await lookAt(world)
  if (!leader) throw new UserError('there is no leader', { hint: 'kubectl karmada-net etcd status' })
  return world.clientOf(leader.spec)
}

const compareStep: Step<EtcdWorld> = {
  title: 'Same data on all members',
  async guard(world) {
    await sameData(world)
  },
  run: async world => ({ changed: false, detail: `at revision ${await sameData(world)}` }),
}

const compactStep: Step<EtcdWorld> = {
  title: 'Compact',
  async run(world, progress) {
    const client = await leaderClient(world)
    const { revision, dbSize } = await client.status()
    progress(`history up to revision ${revision}`)
    await client.compact(revision, { timeoutMs: compactMs })
    return { changed: true, detail: `history up to revision ${revision}, database ${formatBytes(dbSize)}` }
  },
}

const roomStep = (members: readonly MemberSpec[]): Step<EtcdWorld> => ({
  title: 'Room below the quota',
  async run(world) {
    const statuses = await Promise.all(members.map(async ({ name }) => ({ name, status: await statusOf(world, name) })))
    const quotaOf = (quota: number) => quota || world.state.spec.tuning.quotaBytes
    const full = statuses.find(({ status }) => status.dbSize > fullShare * quotaOf(status.dbSizeQuota))
    const [largest] = statuses.toSorted((a, b) => b.status.dbSize - a.status.dbSize)
    if (!full) {
      return {
        changed: false,
        ...(largest && { detail: formatShare(largest.status.dbSize, quotaOf(largest.status.dbSizeQuota)) }),
      }
    }
    throw new UserError(
      `${full.name} still needs ${formatShare(full.status.dbSize, quotaOf(full.status.dbSizeQuota))}: the alarm would be back at once`,
      {
        hint: 'delete what is not needed (kubectl karmada-net etcd keys shows what is there), or raise tuning.quota in the inventory: kubectl karmada-net etcd up -f FILE',
      },
    )
  },
})

function statusOf(world: EtcdWorld, name: string) {
  const spec = world.state.spec.members.find(member => member.name === name)
  if (!spec) throw new Error(`no member ${name}`)
  return world.clientOf(spec).status()
}

/** Read again: members raise it one after the other. Each is named, because "all" is accepted and does nothing. */
const disarmStep = (kinds: string[]): Step<EtcdWorld> => ({
  title: `Disarm ${kinds.join(' and ')}`,
  async run(world) {
    const client = await leaderClient(world)
    const alarms = await client.alarms()
    for (const alarm of alarms) await client.disarm(alarm)
    const left = await client.alarms()
    if (left.length > 0) throw new UserError(`${left.length} alarms did not go away`)
    return { changed: alarms.length > 0, detail: counted(alarms.length, 'alarm') }
  },
})

const writeStep: Step<EtcdWorld> = {
  title: 'A write goes through',
  async run(world) {
    const client = await leaderClient(world)
    const began = performance.now()
    const lease = await client.grantLease(60)
    await client.put('karmada-net.io/verify/alarms', randomBytes(8).toString('hex'), { lease })
    const elapsed = Math.round(performance.now() - began)
    await client.revokeLease(lease)
    return { changed: false, detail: `${elapsed} ms` }
  },
}

const quietStep = (madeRoom: boolean): Step<EtcdWorld> => ({
  title: 'No alarm comes back',
  async run(world, progress) {
    const client = await leaderClient(world)
    for (let waited = 0; waited < quietMs; waited += 1000) {
      progress(`${(quietMs - waited) / 1000}s`)
      await pause(1000, world.signal)
      const [back] = await client.alarms().catch(unlessBusy)
      if (back) throw cameBack(back, await lookAt(world), madeRoom)
    }
    return { changed: false, detail: `for ${quietMs / 1000}s` }
  },
})

/** A busy moment says nothing about alarms. */
function unlessBusy(error: unknown): Alarm[] {
  if (error instanceof EtcdError) return []
  throw error
}

const cameBack = ({ member, alarm }: Alarm, view: ClusterView, madeRoom: boolean): UserError =>
  new UserError(`${nameOf(member, view)} raised ${alarm} again`, {
    hint:
      alarm === 'NOSPACE' && madeRoom
        ? 'raise tuning.quota in the inventory: kubectl karmada-net etcd up -f FILE'
        : 'kubectl karmada-net etcd verify',
  })
