import { defineCommand } from '../../cli/command.ts'
import { outputFlag } from '../../cli/flags.ts'
import { clusterFlags, openCluster, vipMutatingFlags, worldOf } from './shared.ts'

export const vipDown = defineCommand({
  name: 'vip down',
  summary: 'Take the virtual IP off every node, as it was before',
  description: `Removes the agents, then on each node the rules, the route, the files and the sysctls, and proves that nothing is left; then the
settings and permissions. Whoever still uses the virtual IP loses the API servers. What "vip up" did not make is left alone.`,
  examples: [
    ['Every node', 'vip down'],
    ['See what would go', 'vip down --dry-run=client -o name'],
    ['Although a node is gone for good', 'vip down --force'],
  ],
  flags: { ...clusterFlags, ...vipMutatingFlags, output: outputFlag(['yaml', 'json', 'name']) },
  async run({ flags, session }) {
    const { downSteps } = await import('../../vip/down.ts')
    const { findInstallation } = await import('../../vip/world.ts')
    const { perform } = await import('../../cli/perform.ts')
    const client = await openCluster(flags, session)
    const found = await findInstallation(client, { signal: session.signal })
    if (!found) return session.say(`Nothing to do: cluster ${client.context} has no virtual IP of API servers.`)
    const started = session.io.now()
    const { dryRun, output } = flags
    await perform(session, [{ steps: downSteps(found) }], worldOf(client, session, flags), { dryRun, output })
    if (dryRun !== 'none') return
    session.say(`\nRemoved: ${found.settings.vip} (${Math.round((session.io.now() - started) / 1000)}s).`)
  },
})
