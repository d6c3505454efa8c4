import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Progress, Step, StepGroup } from '../../steps/step.ts'
import { waitForOwner } from '../by-hand.ts'
import { retrying } from '../client/retry.ts'
import { hexId } from '../client/types.ts'
import type { ClusterState, MemberSpec } from '../cluster.ts'
import type { Found } from '../drivers/driver.ts'
import { servesPeers } from '../in-turn.ts'
import { launchFor } from '../launch.ts'
import { lockKey } from '../lock.ts'
import { sameDataOfThoseUp } from '../member/join.ts'
import type { SnapshotFacts } from '../snapshot/inspect.ts'
import { lookAt } from '../view.ts'
import { waitForHealthy, waitForLeader } from '../waits.ts'
import type { EtcdWorld } from '../world.ts'
import { bumpFor, restoreArgs, restoredId, restoredState, restoresIn } from './plan.ts'

export interface Restoring {
  /** Checked: its hash is right. */
  facts: SnapshotFacts
  /** Who makes up the restored cluster; all others have to be replaced afterwards. */
  members: readonly MemberSpec[]
  /** The newest revision of the cluster that is there; undefined: nobody can tell. */
  current: bigint | undefined
}

/**
 * Every member stops, gets the same snapshot in a new directory, and starts as part of a new cluster. Run again it does so again; but where
 * somebody restores members by hand, it goes on with what they have begun.
 */
export function restoreGroups(job: Restoring): StepGroup<EtcdWorld>[] {
  return [
    { steps: [stopStep(job)] },
    ...job.members.map(member => ({ title: member.name, steps: [restoreStep(member, job)] })),
    { steps: [startStep(job), alarmsStep(job), provedStep(job)] },
  ]
}

const stopStep = ({ facts, members, current }: Restoring): Step<EtcdWorld> => ({
  title: 'All members stopped, their data kept',
  async run(world) {
    const found = await Promise.all(
      members.map(async member => [member.name, (await world.driverOf(member).inspect()).launch] as const),
    )
    if (membersBegun(world, facts)?.length !== members.length) {
      await world.remember(begun(world.state, { facts, members, current }, Object.fromEntries(found)))
    }
    const drivers = (await notRestored(world, members)).flatMap(member => {
      const driver = world.driverOf(member)
      return driver.acts ? [{ member, driver }] : []
    })
    const leader = (await lookAt(world)).leader?.spec.name
    const stopAll = (some: typeof drivers) => Promise.all(some.map(({ driver }) => driver.stop()))
    // A leader that stops hands over first, and waits 7 s for an heir that stops as well.
    const ran = [
      ...(await stopAll(drivers.filter(({ member }) => member.name !== leader))),
      ...(await stopAll(drivers.filter(({ member }) => member.name === leader))),
    ]
    const kept = found.flatMap(([name, launch]) => (launch ? [`${name} ${launch.generation}`] : []))
    return { changed: ran.some(Boolean), detail: kept.length > 0 ? `data kept: ${kept.join(', ')}` : undefined }
  },
})

/** Who is restored by a restore of this snapshot that was begun before, and waits for somebody; undefined: there is none. Pure. */
export function membersBegun(
  { state, driverOf }: Pick<EtcdWorld, 'state' | 'driverOf'>,
  { sha256 }: Pick<SnapshotFacts, 'sha256'>,
): MemberSpec[] | undefined {
  if (state.restoring === undefined || state.restoring.sha256 !== sha256) return undefined
  const names = state.restoring.members
  const members = state.spec.members.filter(({ name }) => names.includes(name))
  return members.some(member => !driverOf(member).acts) ? members : undefined
}

function begun(state: ClusterState, { facts, members, current }: Restoring, started: Record<string, Found['launch']>) {
  const restored = restoredState(state, members, started)
  const bump = bumpFor(facts.revision ?? 0n, current, restoresIn(restored.token))
  const { path, sha256 = '' } = facts
  const names = members.map(({ name }) => name)
  return { ...restored, restoring: { file: resolve(path), sha256, bump: String(bump), members: names } }
}

/** Those that were not started with what this restore gives them. */
async function notRestored(world: EtcdWorld, members: readonly MemberSpec[]): Promise<MemberSpec[]> {
  const asked = members.map(async member => ((await isRestored(world, member)) ? [] : [member]))
  return (await Promise.all(asked)).flat()
}

async function isRestored(world: EtcdWorld, member: MemberSpec): Promise<boolean> {
  const { state, signal } = world
  const driver = world.driverOf(member)
  // It may not answer yet: more than half have to be restored first.
  if (driver.acts) return (await driver.inspect()).launch?.generation === state.members[member.name]?.generation
  const status = await world
    .clientOf(member)
    .status({ timeoutMs: 1500 })
    .catch(() => signal.throwIfAborted())
  return status?.id === restoredId(state, member)
}

const restoreStep = (member: MemberSpec, { facts, members }: Restoring): Step<EtcdWorld> => ({
  title: 'Snapshot restored',
  async run(world, progress) {
    const { state } = world
    const driver = world.driverOf(member)
    const launch = launchFor(state, member, driver)
    const bump = BigInt(state.restoring?.bump ?? 0)
    if (await isRestored(world, member)) return { changed: false, detail: 'was restored before' }
    const dataDir = driver.paths.data(launch.generation)
    progress(`etcdutl snapshot restore, ${driver.where}`)
    await driver.etcdutl(
      launch,
      snapshot => restoreArgs(state, member, members, { snapshot, dataDir, bump }),
      createReadStream(facts.path, { highWaterMark: 1 << 20, signal: world.signal }),
      facts.sizeBytes,
    )
    const detail = driver.acts ? `generation ${launch.generation}` : 'to be restored by its owner'
    return { changed: true, detail: `${driver.where}, ${detail}` }
  },
})

const startStep = ({ members }: Restoring): Step<EtcdWorld> => ({
  title: 'Started as a new cluster',
  async run(world, progress) {
    const ours = members.filter(member => world.driverOf(member).acts)
    for (const member of ours) {
      const driver = world.driverOf(member)
      await driver.start(launchFor(world.state, member, driver))
      await servesPeers(world, member)
    }
    await restoredByOwners(world, members, progress)
    await waitForHealthy(only(world, members), progress)
    const leader = await waitForLeader(only(world, members), { progress })
    return { changed: true, detail: `leader ${leader.spec.name}` }
  },
})

/** All at once: none answers before more than half are restored. */
async function restoredByOwners(world: EtcdWorld, members: readonly MemberSpec[], progress: Progress): Promise<void> {
  const byHand = members.filter(member => !world.driverOf(member).acts)
  const waits = byHand.map(async member => {
    const todo = world.driverOf(member).todo?.('restore') ?? ''
    const missing = `${member.name} was not restored`
    await waitForOwner(world, { missing, todo, done: () => isRestored(world, member) }, progress)
  })
  await Promise.all(waits)
}

/** A snapshot brings along what was wrong when it was taken: alarms, under ids that may be nobody's now, and the lock of who took it. */
const alarmsStep = ({ members }: Restoring): Step<EtcdWorld> => ({
  title: 'Old alarms and locks cleared',
  async run(world, progress) {
    const clear = async () => {
      const leader = await waitForLeader(only(world, members), { progress })
      const client = world.clientOf(leader.spec)
      const alarms = await client.alarms()
      for (const alarm of alarms) await client.disarm(alarm)
      await client.deleteRange(lockKey)
      return alarms
    }
    const alarms = await retrying(clear, { forMs: 30_000, signal: world.signal })
    const names = alarms.map(({ alarm, member }) => `${alarm} of ${hexId(member)}`)
    return { changed: alarms.length > 0, detail: names.join(', ') || 'no alarms' }
  },
})

const provedStep = ({ facts, members, current }: Restoring): Step<EtcdWorld> => ({
  title: 'Same data everywhere, revision raised',
  async run(world, progress) {
    const some = only(world, members)
    const leader = await waitForLeader(some, { progress })
    const { revision } = await world.clientOf(leader.spec).status()
    const floor = [facts.revision ?? 0n, current ?? 0n].reduce((a, b) => (a > b ? a : b))
    if (revision <= floor) {
      throw new UserError(
        `the restored cluster is at revision ${revision}, which clients have seen already (${floor})`,
        {
          hint: 'keep API servers stopped and restore again',
        },
      )
    }
    const detail = `revision ${await sameDataOfThoseUp(some)}, was ${floor}`
    // From now on it is what the files of members that are run by hand say, too.
    for (const member of members) {
      const driver = world.driverOf(member)
      if (!driver.acts) await driver.start(launchFor(world.state, member, driver))
    }
    const { restoring: _, ...settled } = world.state
    await world.remember(settled)
    return { changed: false, detail }
  },
})

/** The same world with these members alone: the others are not waited for. */
const only = (world: EtcdWorld, members: readonly MemberSpec[]): EtcdWorld => ({
  ...world,
  state: { ...world.state, spec: { ...world.state.spec, members: [...members] } },
})
