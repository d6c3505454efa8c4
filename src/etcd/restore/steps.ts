import { createReadStream } from 'node:fs'
import { UserError } from '../../errors.ts'
import { pause } from '../../kube/pause.ts'
import type { Step, StepGroup } from '../../steps/step.ts'
import { adminIdentity } from '../certificates.ts'
import { createEtcdClient } from '../client/gateway.ts'
import { retrying } from '../client/retry.ts'
import { hexId } from '../client/types.ts'
import { type MemberSpec, peerUrl } from '../cluster.ts'
import { lockKey } from '../lock.ts'
import { sameDataOfThoseUp } from '../member/join.ts'
import type { SnapshotFacts } from '../snapshot/inspect.ts'
import { launchFor } from '../up/steps.ts'
import { lookAt } from '../view.ts'
import { waitForHealthy, waitForLeader } from '../waits.ts'
import type { EtcdWorld } from '../world.ts'
import { bumpFor, restoreArgs, restoredState, restoresIn } from './plan.ts'

const peerMs = 10_000

export interface Restoring {
  /** Checked: its hash is right. */
  facts: SnapshotFacts
  /** Who makes up the restored cluster; all others have to be replaced afterwards. */
  members: readonly MemberSpec[]
  /** The newest revision of the cluster that is there; undefined: nobody can tell. */
  current: bigint | undefined
}

/** Every member stops, gets the same snapshot in a new directory, and starts as part of a new cluster. Run again it does so again. */
export function restoreGroups(job: Restoring): StepGroup<EtcdWorld>[] {
  return [
    { steps: [stopStep(job)] },
    ...job.members.map(member => ({ title: member.name, steps: [restoreStep(member, job)] })),
    { steps: [startStep(job), alarmsStep(job), provedStep(job)] },
  ]
}

const stopStep = ({ members }: Restoring): Step<EtcdWorld> => ({
  title: 'All members stopped, their data kept',
  async run(world) {
    const drivers = members.map(member => ({ member, driver: world.driverOf(member) }))
    const found = await Promise.all(
      drivers.map(async ({ member, driver }) => [member.name, (await driver.inspect()).launch] as const),
    )
    await world.remember(restoredState(world.state, members, Object.fromEntries(found)))
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

const restoreStep = (member: MemberSpec, { facts, members, current }: Restoring): Step<EtcdWorld> => ({
  title: 'Snapshot restored',
  async run(world, progress) {
    const { state } = world
    const driver = world.driverOf(member)
    const launch = launchFor(state, member, driver)
    const bump = bumpOf(world, { facts, current })
    const dataDir = driver.paths.data(launch.generation)
    progress(`etcdutl snapshot restore, ${driver.where}`)
    await driver.etcdutl(
      launch,
      snapshot => restoreArgs(state, member, members, { snapshot, dataDir, bump }),
      createReadStream(facts.path, { highWaterMark: 1 << 20, signal: world.signal }),
      facts.sizeBytes,
    )
    return { changed: true, detail: `${driver.where}, generation ${launch.generation}` }
  },
})

const bumpOf = ({ state }: EtcdWorld, { facts, current }: Pick<Restoring, 'facts' | 'current'>): bigint =>
  bumpFor(facts.revision ?? 0n, current, restoresIn(state.token))

const startStep = ({ members }: Restoring): Step<EtcdWorld> => ({
  title: 'Started as a new cluster',
  async run(world, progress) {
    for (const member of members) {
      const driver = world.driverOf(member)
      await driver.start(launchFor(world.state, member, driver))
      await servesPeers(world, member)
    }
    await waitForHealthy(only(world, members), progress)
    const leader = await waitForLeader(only(world, members), { progress })
    return { changed: true, detail: `leader ${leader.spec.name}` }
  },
})

/**
 * Before it serves anybody etcd compares its data with its peers', and waits 7 s for one that is doing just that: so one after the other.
 * Where it takes longer the next one starts all the same, because none is ready before there is a quorum.
 */
async function servesPeers(world: EtcdWorld, member: MemberSpec): Promise<void> {
  const end = performance.now() + peerMs
  const peer = createEtcdClient(peerUrl(member, world.state.spec), () => adminIdentity(world.store), {
    timeoutMs: 1000,
  })
  try {
    while (performance.now() < end) {
      // It takes connections, and even ends their handshakes, long before it answers anything.
      const answered = await peer.versions({ signal: world.signal }).catch(() => undefined)
      if (answered) return
      await pause(50, world.signal)
    }
  } finally {
    peer.close()
  }
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
    return { changed: false, detail: `revision ${await sameDataOfThoseUp(some)}, was ${floor}` }
  },
})

/** The same world with these members alone: the others are not waited for. */
const only = (world: EtcdWorld, members: readonly MemberSpec[]): EtcdWorld => ({
  ...world,
  state: { ...world.state, spec: { ...world.state.spec, members: [...members] } },
})
