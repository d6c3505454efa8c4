import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { openEtcd } from '../shared.ts'
import { carryOut, etcdMemberNames, memberFlags } from './shared.ts'

export const etcdMemberPromote = defineCommand({
  name: 'etcd member promote',
  summary: 'Give a learner its vote',
  description:
    'Waits until the learner has caught up with the leader, then promotes it. Other commands do this by themselves.',
  examples: [['A member that was added with --learner', 'etcd member promote m4']],
  args: { name: arg.one('NAME', { required: true, complete: etcdMemberNames }) },
  flags: memberFlags,
  async run({ name, flags, session }) {
    const { planPromote } = await import('../../../etcd/member/promote.ts')
    const world = await openEtcd(flags, session)
    await carryOut(session, flags, world, {
      what: `member promote ${name}`,
      plan: () => planPromote(world, name),
      done: `Promoted: ${name}`,
    })
  },
})
