import type { TunnelStatus } from '../../anp/status.ts'
import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { outputFlags, planeFlags } from '../../cli/flags.ts'
import { program } from '../../cli/io.ts'
import { memberNames, openPlane } from '../session.ts'

const dash = (text: string | undefined) => text ?? '-'

export const anpStatus = defineCommand({
  name: 'anp status',
  summary: 'Show the tunnels of pull-mode members',
  description: `One line for each pull-mode member: whether Karmada reaches it, the proxy servers and the agents connected to them, whether
karmada-agent's flags say what the Cluster says, and how long the certificates last. SERVERS and AGENTS count pods of the host
cluster that are ready, and that have an agent.`,
  examples: [
    ['Every pull-mode member', 'anp status'],
    ['For programs', 'anp status member1 -o json'],
  ],
  args: { names: arg.many('MEMBER', { complete: memberNames('Pull') }) },
  flags: { ...planeFlags, ...outputFlags },
  async run({ names, flags, session }) {
    const { selectMembers } = await import('../../topology/members.ts')
    const { tunnelStatus } = await import('../../anp/index.ts')
    const { print } = await import('../../cli/print.ts')
    const plane = await openPlane(flags, session)
    const members = selectMembers(plane, { names, all: names.length === 0, mode: 'Pull' })
    const { host } = plane
    const clients = {
      host: host.client,
      karmada: plane.client,
      namespace: host.namespace,
      signal: session.signal,
      now: new Date(),
    }
    const rows = await Promise.all(members.map(({ cluster, client }) => tunnelStatus(clients, cluster, client)))
    await print<TunnelStatus>(
      session,
      {
        columns: [
          { header: 'MEMBER', value: row => row.member },
          { header: 'TUNNEL', value: row => (row.tunnel === 'none' ? '-' : row.tunnel) },
          { header: 'SERVERS', value: ({ servers }) => dash(servers && `${servers.ready}/${servers.wanted}`) },
          {
            header: 'AGENTS',
            value: ({ agents, servers }) => dash(agents && servers && withAgent(agents, servers.wanted)),
          },
          { header: 'AGENT FLAGS', value: row => dash(row.agentFlags) },
          { header: 'CERTS', value: ({ certificates }) => dash(certificates && `${certificates.daysLeft}d`) },
          { header: 'LATENCY', value: ({ latencyMs }) => dash(latencyMs === undefined ? undefined : `${latencyMs}ms`) },
          { header: 'NOTE', value: row => row.note },
        ],
        rows,
        name: row => `cluster.cluster.karmada.io/${row.member}`,
        empty: `No pull-mode member in plane ${plane.name}`,
      },
      flags.output,
    )
    const down = rows.find(({ tunnel }) => tunnel === 'down')
    if (down && !flags.output) session.hint(`${program} anp verify ${down.member}`)
  },
})

const withAgent = (agents: { connected: number }[], wanted: number): string =>
  `${agents.filter(({ connected }) => connected > 0).length}/${wanted}`
