import { defineCommand } from '../../cli/command.ts'
import { etcdFlags, openEtcd } from './shared.ts'

export const etcdInventory = defineCommand({
  name: 'etcd inventory',
  summary: 'Print the inventory of a cluster as it is now',
  description: `What "etcd up -f" would take, with all members, settings and defaults: also those that were given as flags, and those that
"etcd member", "scale" and "upgrade" have changed since. It holds no secret. Asks no member.`,
  examples: [['For a file that is kept with other configuration', 'etcd inventory --etcd karmada']],
  flags: etcdFlags,
  async run({ flags, session }) {
    const { toInventory } = await import('../../etcd/inventory/index.ts')
    const { state } = await openEtcd(flags, session)
    session.io.stdout.write(toInventory(state.spec))
  },
})
