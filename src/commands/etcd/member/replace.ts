import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { UserError } from '../../../errors.ts'
import { openEtcd } from '../shared.ts'
import { carryOut, etcdMemberNames, memberFlags, memberFrom } from './shared.ts'

export const etcdMemberReplace = defineCommand({
  name: 'etcd member replace',
  summary: 'Begin anew with a member whose data or machine is lost',
  description: `An etcd must not start on an empty or an older directory under its old name: it would forget what it promised to the others. So the
member is taken off the list and joins again, empty, as a learner; when it has all data it gets its vote back. Its old directory is
removed at the very end. Writes go on all the while; the other members must have a quorum without it.`,
  examples: [
    ['The disk of m2 was wiped', 'etcd member replace m2'],
    ['What would be done', 'etcd member replace m2 --dry-run'],
    ['m2 gets another machine', 'etcd member replace m2 --member m2=10.0.1.7,docker=ssh://root@10.0.1.7'],
  ],
  args: { name: arg.one('NAME', { required: true, complete: etcdMemberNames }) },
  flags: {
    ...memberFlags,
    member: flag.string('NAME=ADDRESS,...: the machine that it moves to'),
    force: flag.boolean('Also a member that is healthy'),
  },
  async run({ name, flags, session }) {
    const { planReplace } = await import('../../../etcd/member/replace.ts')
    const moved = flags.member === undefined ? undefined : await memberFrom(flags.member)
    if (moved && moved.name !== name) {
      throw new UserError(`--member is about ${moved.name}, not about ${name}`, {
        hint: `a member keeps its name: --member ${name}=${moved.address},...`,
      })
    }
    const world = await openEtcd(flags, session, moved ? [moved] : [])
    await carryOut(session, flags, world, {
      what: `member replace ${name}`,
      plan: () => planReplace(world, name, { force: flags.force, moved }),
      done: `Replaced: ${name}`,
    })
  },
})
