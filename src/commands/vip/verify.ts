import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import type { Complete } from '../../cli/complete.ts'
import { outputFlag } from '../../cli/flags.ts'
import { UserError } from '../../errors.ts'
import { type ClusterFlags, clusterFlags, openCluster, requireInstallation } from './shared.ts'

/** Nodes at the same time: on each there is a pod for a moment. */
const atOnce = 8

const nodeNames: Complete = async ({ flags, session, words }) => {
  const { readFacts } = await import('../../vip/up/facts.ts')
  const client = await openCluster(flags as ClusterFlags, session)
  const { asked } = await requireInstallation(client, session)
  const { nodes } = await readFacts(client, asked.nodes, session)
  return nodes.map(({ name }) => name).filter(name => !words.includes(name))
}

export const vipVerify = defineCommand({
  name: 'vip verify',
  summary: 'Prove by real connections that nodes and pods reach every API server',
  description: `For each node: what its agent says of rules, route, sysctls and the next boot; then connections through the virtual IP to every API
server, from the node itself and from a pod of its own, with the certificates that come back; and whether kube-proxy would remove the rules.
The pod lives for a moment, has no permissions, and is removed. Exit code 1 when a check failed; warnings pass.`,
  examples: [
    ['Every node', 'vip verify'],
    ['One node, for programs', 'vip verify worker-1 -o json'],
  ],
  args: { names: arg.many('NODE', { complete: nodeNames }) },
  flags: { ...clusterFlags, output: outputFlag(['json', 'yaml']) },
  async run({ names, flags, session }) {
    const { openVerify, verifyGroups } = await import('../../vip/verify/checks.ts')
    const { removeEnded } = await import('../../vip/pod-run.ts')
    const { showChecks } = await import('../../cli/checks.ts')
    const { suggest } = await import('../../suggest.ts')
    const client = await openCluster(flags, session)
    const found = await requireInstallation(client, session)
    const world = await openVerify(client, found, session.signal)
    const nodes = world.news.map(({ node }) => node)
    const stranger = names.find(name => !nodes.includes(name))
    if (stranger !== undefined) {
      const meant = suggest(stranger, nodes)
      throw new UserError(`the virtual IP is on no node "${stranger}"`, {
        hint: meant === undefined ? 'kubectl karmada-net vip status' : `did you mean ${meant}?`,
      })
    }
    await removeEnded(client, 'vip-verify', session.signal)
    const groups = verifyGroups(names.length > 0 ? names : nodes)
    await showChecks(session, groups, world, { output: flags.output, concurrency: atOnce })
  },
})
