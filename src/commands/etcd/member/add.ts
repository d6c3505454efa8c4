import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { openEtcd } from '../shared.ts'
import { carryOut, memberFlags, memberFrom } from './shared.ts'

export const etcdMemberAdd = defineCommand({
  name: 'etcd member add',
  summary: 'Add one member',
  description: `The member joins as a learner, which has no vote, receives all data, and is promoted once it has them: the quorum is never in
doubt. One that does not come up is taken off the list again. The members that are there already must be up, because etcd counts
the newcomer as down until it has proved itself. To go from one to three members, or from three to five: "etcd scale".`,
  examples: [
    ['On a machine with Docker', 'etcd member add m4=10.0.3.1,docker=ssh://root@10.0.3.1 --force'],
    ['Keep it without a vote for now', 'etcd member add m4=10.0.3.1,docker=ssh://root@10.0.3.1 --learner'],
  ],
  args: { member: arg.one('NAME=ADDRESS,...', { required: true }) },
  flags: {
    ...memberFlags,
    learner: flag.boolean('Leave it without a vote; "etcd member promote" gives it one'),
    force: flag.boolean('Also where an even count of members comes of it'),
  },
  async run({ member: text, flags, session }) {
    const { planAdd } = await import('../../../etcd/member/add.ts')
    const member = await memberFrom(text)
    const world = await openEtcd(flags, session, [member])
    await carryOut(session, flags, world, {
      what: `member add ${member.name}`,
      plan: () => planAdd(world, member, flags),
      done: `Added: ${member.name}${flags.learner ? ', a learner' : ''}`,
    })
  },
})
