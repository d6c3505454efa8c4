import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import type { DownOptions } from '../../etcd/down.ts'
import type { EtcdWorld } from '../../etcd/world.ts'
import { machineFor } from './machine.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd, stateFolder } from './shared.ts'

export const etcdDown = defineCommand({
  name: 'etcd down',
  summary: 'Take a cluster away, with everything it stored',
  description: `Takes a last snapshot, then removes every member with its data, the certificates, and what is remembered of the cluster. The
control planes on it stop. Asks for the name of the cluster to be typed; --yes answers for you. Only what this plugin made is removed.`,
  examples: [
    ['With the last snapshot in a folder of yours', 'etcd down --snapshot-dir /backup'],
    ['A cluster that has lost its quorum', 'etcd down --skip-snapshot'],
    ['Stop it, and leave the data where they are', 'etcd down --keep-data'],
  ],
  flags: {
    ...etcdFlags,
    ...etcdMutatingFlags,
    snapshotDir: flag.string('Folder for the last snapshot; default: in the state folder', { files: true }),
    skipSnapshot: flag.boolean('Take none: what is stored may be lost'),
    keepData: flag.boolean('Leave the data directories where they are'),
  },
  async run({ flags, session }) {
    const { join } = await import('node:path')
    const { downGroups } = await import('../../etcd/down.ts')
    const { backupPlaces } = await import('../../etcd/backup/plan.ts')
    const { endTimerStep } = await import('../../etcd/backup/schedule-steps.ts')
    const { perform } = await import('../../cli/perform.ts')
    const world = await openEtcd(flags, session)
    const { name, members } = world.state.spec
    const folder = flags.snapshotDir ?? join(await stateFolder(session, flags.state), 'snapshots', name)
    const save = flags.skipSnapshot || !world.state.formed ? undefined : savingTo(folder)
    const timed = world.state.spec.backup && backupPlaces(world.state.spec).length === 0
    const backups = timed ? endTimerStep(await machineFor(flags, session)) : undefined
    const groups = downGroups(members, { keepData: flags.keepData, save, backups })
    if (flags.dryRun !== 'none') {
      const { sayPlan } = await import('./plan.ts')
      return sayPlan(session, groups, world)
    }
    const { confirmByName } = await import('../../cli/confirm.ts')
    const stored = flags.keepData ? 'stops' : 'is removed with all that it stores'
    await confirmByName(session, name, `etcd ${name} (${members.map(each => each.name).join(', ')}) ${stored}`, flags)
    await perform(session, groups, world, { concurrency: members.length })
    session.say(`\nRemoved: ${name}.`)
  },
})

const savingTo =
  (directory: string): DownOptions['save'] =>
  async (world: EtcdWorld, progress) => {
    const { saveSnapshot } = await import('../../etcd/snapshot/save.ts')
    const { facts } = await saveSnapshot(world, { target: { directory }, progress })
    return facts.path
  }
