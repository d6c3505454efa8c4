import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { openEtcd } from '../shared.ts'
import { carryOut, etcdMemberNames, memberFlags } from './shared.ts'

export const etcdMemberRemove = defineCommand({
  name: 'etcd member remove',
  summary: 'Remove one member for good',
  description: `Takes the member off the list, after it has handed over its leadership if it has it, and removes it from its machine together with
its data, which no cluster would take again. Refused where those who stay could not write any more. A member that is to come
back, empty or elsewhere, is replaced: "etcd member replace".`,
  examples: [
    ['A member whose machine is gone', 'etcd member remove m5'],
    ['An entry that is not in the inventory, by its id', 'etcd member remove 8e9e05c52164694d'],
  ],
  args: { member: arg.one('NAME', { required: true, complete: etcdMemberNames }) },
  flags: { ...memberFlags, force: flag.boolean('Also where fewer failures are survived afterwards') },
  async run({ member, flags, session }) {
    const { planRemove } = await import('../../../etcd/member/remove.ts')
    const world = await openEtcd(flags, session)
    await carryOut(session, flags, world, {
      what: `member remove ${member}`,
      plan: () => planRemove(world, member, flags),
      done: `Removed: ${member}`,
    })
  },
})
