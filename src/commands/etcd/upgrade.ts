import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { program } from '../../cli/io.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd, stateFolder } from './shared.ts'

export const etcdUpgrade = defineCommand({
  name: 'etcd upgrade',
  summary: 'Bring every member to another version, one at a time, while etcd serves',
  description: `Takes a snapshot, then restarts one member after the other with the new version: followers first, each ready and all
healthy before the next, the leader last, after it has handed its leadership over. One minor at a time. Flags of the inventory's
extraArgs that the new version does not know are given under their new name, or left out.

Run again, it goes on where it was cut off. Until the last member runs the new version "etcd upgrade OLDVERSION" leads back; after
that only a snapshot does.`,
  examples: [
    ['To 3.6', 'etcd upgrade 3.6.16'],
    [
      'From a registry of your own, with its own tags',
      'etcd upgrade 3.6.16 --image mirror.example.com/etcd:v3.6.16-r2',
    ],
  ],
  args: { version: arg.one('VERSION', { required: true }) },
  flags: {
    ...etcdFlags,
    ...etcdMutatingFlags,
    image: flag.string('Image of the new version, without tag, with one, or with a digest; default: as before'),
    snapshotDir: flag.string(
      'Folder for the snapshot; default: the inventory’s for backups, else in the state folder',
      {
        files: true,
      },
    ),
    skipSnapshot: flag.boolean('Take none: there is one already'),
  },
  async run({ version, flags, session }) {
    const { parseVersion } = await import('../../etcd/versions.ts')
    const target = parseVersion(version)
    if (target === undefined) {
      throw new UserError(`"${version}" is no version of etcd that was released`, {
        hint: 'kubectl karmada-net etcd upgrade 3.6.16',
      })
    }
    const { join } = await import('node:path')
    const { upgradeGroups, wayTo } = await import('../../etcd/upgrade.ts')
    const { withLock } = await import('../../etcd/lock.ts')
    const { perform } = await import('../../cli/perform.ts')
    const world = await openEtcd(flags, session)
    const { name, backup } = world.state.spec
    const folder =
      flags.snapshotDir ?? backup?.directory ?? join(await stateFolder(session, flags.state), 'snapshots', name)
    let snapshot: string | undefined
    const groups = upgradeGroups({
      target,
      image: flags.image,
      snapshots: flags.skipSnapshot ? undefined : folder,
      onSnapshot: path => {
        snapshot = path
      },
    })
    if (flags.dryRun !== 'none') {
      const { sayPlan } = await import('./plan.ts')
      session.say(await wayTo(world, { target, image: flags.image }))
      return sayPlan(session, groups, world)
    }
    const began = session.io.now()
    const { changed } = await withLock(world, `upgrade ${target}`, () => perform(session, groups, world))
    if (!changed) return session.say(`\nNothing to do: ${name} runs etcd ${target}.`)
    conclude(session, { name, target, snapshot, seconds: Math.round((session.io.now() - began) / 1000) })
  },
})

function conclude(
  session: Session,
  { name, target, snapshot, seconds }: { name: string; target: string; snapshot: string | undefined; seconds: number },
): void {
  session.say(`\netcd ${name} runs ${target} (${seconds}s). An older minor does not start on its data any more.`)
  if (snapshot !== undefined)
    session.say(
      `Should it have to go back: ${program} etcd snapshot restore ${snapshot}, which loses what was written since.`,
    )
}
