import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { etcdMemberNames } from './member/shared.ts'
import { sayPlan } from './plan.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd } from './shared.ts'

const { dryRun, timeout } = etcdMutatingFlags

export const etcdDefrag = defineCommand({
  name: 'etcd defrag',
  summary: 'Give the free space inside the databases back to the disks',
  description: `Rewrites the database of one member after the other, followers first and the leader last. A member serves nothing while it
is rewritten, so all others have to be well: otherwise nothing is begun. Members with less than 1 MiB, or 1 %, to win are left alone.`,
  examples: [
    ['All members', 'etcd defrag'],
    ['One of them', 'etcd defrag m3'],
  ],
  args: { names: arg.many('MEMBER', { complete: etcdMemberNames }) },
  flags: { ...etcdFlags, dryRun, timeout },
  async run({ names, flags, session }) {
    const { planDefrag } = await import('../../etcd/defrag.ts')
    const { withLock } = await import('../../etcd/lock.ts')
    const { perform } = await import('../../cli/perform.ts')
    const world = await openEtcd(flags, session)
    if (flags.dryRun !== 'none') return sayPlan(session, await planDefrag(world, names), world)
    const result = await withLock(world, 'defrag', async () => perform(session, await planDefrag(world, names), world))
    session.say(result.changed ? '\nDone.' : '\nNothing to do: no member has space to give back.')
  },
})
