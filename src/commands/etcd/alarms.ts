import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { outputFlags } from '../../cli/flags.ts'
import type { Session } from '../../cli/session.ts'
import type { AlarmRow } from '../../etcd/alarms.ts'
import type { EtcdWorld } from '../../etcd/world.ts'
import { sayPlan } from './plan.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd } from './shared.ts'

const { dryRun, timeout } = etcdMutatingFlags

export const etcdAlarms = defineCommand({
  name: 'etcd alarms',
  summary: 'Show the alarms of an etcd cluster, and cure what raised them',
  description: `NOSPACE: a member's database reached its quota, and the cluster refuses writes. --disarm gives it room first: compacts the
history, defragments the members (followers first, the leader last), and then disarms each alarm, writes, and waits whether one comes
back. Nothing is stopped for it. API servers whose watches began before the compaction read their lists anew.

CORRUPT: a member's data differ from the others'. That is cured by "etcd member replace"; --disarm compares all data first.`,
  examples: [
    ['What there is', 'etcd alarms'],
    ['Make room and disarm', 'etcd alarms --disarm'],
    ['What that would do', 'etcd alarms --disarm --dry-run'],
  ],
  flags: {
    ...etcdFlags,
    ...outputFlags,
    dryRun,
    timeout,
    disarm: flag.boolean('Cure what raised the alarms, and disarm them'),
  },
  async run({ flags, session }) {
    const world = await openEtcd(flags, session)
    if (flags.disarm) return disarm(world, session, flags.dryRun !== 'none')
    const { alarmRows } = await import('../../etcd/alarms.ts')
    const { alarmsIn, lookAt } = await import('../../etcd/view.ts')
    const { print } = await import('../../cli/print.ts')
    const view = await lookAt(world)
    const rows = alarmRows(view, alarmsIn(view))
    await print<AlarmRow>(
      session,
      {
        columns: [
          { header: 'MEMBER', value: row => row.member },
          { header: 'ID', value: row => row.id, wide: true },
          { header: 'ALARM', value: row => row.alarm },
          { header: 'MEANING', value: row => row.meaning },
        ],
        rows,
        name: row => `alarm/${row.member}.${row.alarm}`,
        empty: `No alarms in ${world.state.spec.name}`,
      },
      flags.output,
    )
    const corrupt = rows.find(({ alarm }) => alarm === 'CORRUPT')
    if (rows.length > 0 && !flags.output)
      session.hint(`kubectl karmada-net etcd ${corrupt ? 'status' : 'alarms --disarm'}`)
  },
})

async function disarm(world: EtcdWorld, session: Session, dryRun: boolean): Promise<void> {
  const { disarmGroups } = await import('../../etcd/alarms.ts')
  const { withLock } = await import('../../etcd/lock.ts')
  const { perform } = await import('../../cli/perform.ts')
  if (dryRun) return sayPlan(session, await disarmGroups(world), world)
  const result = await withLock(world, 'alarms --disarm', async () =>
    perform(session, await disarmGroups(world), world),
  )
  session.say(
    result.changed ? '\nThe cluster takes writes again.' : `Nothing to do: no alarms in ${world.state.spec.name}.`,
  )
}
