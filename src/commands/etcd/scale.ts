import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { MemberSpec } from '../../etcd/cluster.ts'
import { carryOut, memberFlags, memberFrom } from './member/shared.ts'
import { openEtcd } from './shared.ts'

export const etcdScale = defineCommand({
  name: 'etcd scale',
  summary: 'Grow or shrink to a number of members',
  description: `One member after the other: a newcomer is a voter with all data before the next one comes, and none leaves while it is needed.
Newcomers are named with --member, or are those of an inventory that the cluster does not have yet. Who leaves is chosen: members
that are down, then the youngest of the site that has most, the leader last.`,
  examples: [
    [
      'From one to three',
      'etcd scale 3 --member m2=10.0.1.1,docker=ssh://root@10.0.1.1 --member m3=10.0.2.1,docker=ssh://root@10.0.2.1',
    ],
    ['To what the inventory has', 'etcd scale 5 -f cluster.yaml'],
    ['Who would leave', 'etcd scale 3 --dry-run'],
  ],
  args: { count: arg.one('COUNT', { required: true }) },
  flags: {
    ...memberFlags,
    filename: flag.string('Inventory (kind: EtcdCluster); - reads standard input', { short: 'f', files: true }),
    member: flag.list('NAME=ADDRESS,...: a newcomer; repeatable'),
    force: flag.boolean('Also to an even count'),
  },
  async run({ count, flags, session }) {
    const { planScaling } = await import('../../etcd/member/scale.ts')
    const wanted = Number(count)
    if (!/^[1-9]\d?$/.test(count)) {
      throw new UserError(`invalid argument "${count}" for COUNT: must be a number of members, such as 3`)
    }
    const named = await newcomers(flags, session)
    const world = await openEtcd(flags, session, named)
    await carryOut(session, flags, world, {
      what: `scale ${wanted}`,
      plan: () => planScaling(world, wanted, named, flags),
      done: `${wanted} ${wanted === 1 ? 'member' : 'members'}`,
    })
  },
})

async function newcomers(
  { filename, member }: { filename?: string | undefined; member: string[] },
  session: Session,
): Promise<MemberSpec[]> {
  if (filename === undefined) return Promise.all(member.map(memberFrom))
  if (member.length > 0) throw new UserError('members are in the inventory: give either -f or --member')
  const { textOf } = await import('./up.ts')
  const { parseInventory } = await import('../../etcd/inventory/index.ts')
  return (await parseInventory(await textOf(filename, session), filename)).members
}
