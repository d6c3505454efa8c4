import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import type { Session } from '../../../cli/session.ts'
import type { Before } from '../../../etcd/restore/look.ts'
import type { Restoring } from '../../../etcd/restore/steps.ts'
import type { EtcdWorld } from '../../../etcd/world.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd } from '../shared.ts'

export const etcdSnapshotRestore = defineCommand({
  name: 'etcd snapshot restore',
  summary: 'Put the cluster back to a snapshot',
  description: `Checks the snapshot's checksum, stops all members, gives each the same snapshot in a new directory and starts them as a new cluster
with a token of its own; what they had stays in the old directories. Revisions are raised by a billion and marked as compacted, so
that API servers notice and read everything anew: they and the controllers have to be restarted afterwards, and what was written
since the snapshot is gone. Nothing is served meanwhile. Cut off, the same command does all of it again.

For members that run from files each folder gets the snapshot and a script, restore/restore.sh: it stops etcd, restores and starts it.
The command says where to run it, waits, and verifies; cut off, it goes on with what was restored meanwhile.`,
  examples: [
    ['Back to a snapshot', 'etcd snapshot restore backups/karmada-2026-11-21.db'],
    ['What would be done', 'etcd snapshot restore backups/karmada-2026-11-21.db --dry-run'],
  ],
  args: { file: arg.one('FILE', { required: true }) },
  flags: { ...etcdFlags, ...etcdMutatingFlags },
  async run({ file, flags, session }) {
    const { requireGoodSnapshot } = await import('../../../etcd/snapshot/inspect.ts')
    const { lookBefore, requireMachines } = await import('../../../etcd/restore/look.ts')
    const { withLock } = await import('../../../etcd/lock.ts')
    const { confirmByName } = await import('../../../cli/confirm.ts')
    const world = await openEtcd(flags, session)
    const { name } = world.state.spec
    const facts = await requireGoodSnapshot(file, { signal: session.signal })
    const before = await lookBefore(world)
    const { membersBegun } = await import('../../../etcd/restore/steps.ts')
    const begun = membersBegun(world, facts)
    const members = begun ?? world.state.spec.members
    await requireMachines(world, members, facts)
    // What was seen before it began counts, not what it has brought forth.
    const job: Restoring = { facts, members, current: begun ? undefined : before.current }
    if (flags.dryRun !== 'none') return sayPlan(session, world, job, before)
    if (begun) session.say('This restore was begun before, and goes on.\n')
    else if (before.alive.length > 0) {
      const lost = `etcd ${name} runs (${before.alive.join(', ')}): what was written to it after ${facts.takenAt.toISOString()} will be gone`
      await confirmByName(session, name, lost, { yes: flags.yes })
    }
    await withLock(world, 'snapshot restore', () => restore(session, world, job), { midRestore: true })
  },
})

function sayPlan(session: Session, world: EtcdWorld, { facts, members, current }: Restoring, before: Before): void {
  const byHand = members.filter(member => !world.driverOf(member).acts).map(({ name }) => name)
  const names = members.map(({ name }) => name).join(', ')
  session.out(
    `1. stop ${names} (${before.alive.length} of ${members.length} answer now); their data stay where they are`,
  )
  session.out(`2. on each: etcdutl snapshot restore of revision ${facts.revision} into a new directory`)
  if (byHand.length > 0)
    session.out(`   of ${byHand.join(', ')}: by you, with the script that their folders get; it stops etcd first`)
  session.out('3. start them as a new cluster; disarm the alarms that the snapshot brings along')
  session.out(`4. compare their data; the revision must be above ${current ?? facts.revision}`)
  session.say('Nothing was changed (dry run).')
}

/** Restores, and says what has to be restarted. */
export async function restore(session: Session, world: EtcdWorld, job: Restoring): Promise<void> {
  const { restoreGroups } = await import('../../../etcd/restore/steps.ts')
  const { apiServersOn, restartAdvice } = await import('../../../etcd/restore/consumers.ts')
  const { perform } = await import('../../../cli/perform.ts')
  const began = session.io.now()
  const before = { ...world.state }
  await perform(session, restoreGroups(job), world, { concurrency: job.members.length })
  const [first] = job.members
  const addresses = first ? await apiServersOn(world.clientOf(first)).catch(() => []) : []
  session.say(`\nRestored: ${world.state.spec.name} (${((session.io.now() - began) / 1000).toFixed(1)}s).`)
  session.say(
    `What the members had stays on their machines: ${job.members.map(({ name }) => `${name} generation ${before.members[name]?.generation}`).join(', ')}.`,
  )
  session.say()
  for (const line of restartAdvice(addresses)) session.say(line)
}
