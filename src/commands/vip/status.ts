import { defineCommand } from '../../cli/command.ts'
import { outputFlags } from '../../cli/flags.ts'
import type { Column } from '../../cli/table.ts'
import type { StatusRow } from '../../vip/status.ts'
import { clusterFlags, openCluster, requireInstallation } from './shared.ts'

export const vipStatus = defineCommand({
  name: 'vip status',
  summary: 'Show which node reaches which API server by the virtual IP',
  description: `One line for each node and API server, as the node's own agent sees it: ACTIVE and INACTIVE count connections through the
virtual IP, CONNECT is how long a TCP connection takes and READYZ how long the API server needs to say that it is ready; SINCE is when
that state began.`,
  examples: [
    ['Every node', 'vip status'],
    ['For programs', 'vip status -o json'],
  ],
  flags: { ...clusterFlags, ...outputFlags },
  async run({ flags, session }) {
    const { readStatus, rowsOf, since } = await import('../../vip/status.ts')
    const { print } = await import('../../cli/print.ts')
    const client = await openCluster(flags, session)
    const { signal } = session
    const found = await requireInstallation(client, session)
    const status = await readStatus({ client, signal }, found)
    const now = new Date()
    const ms = (value: number | undefined) => (value === undefined ? undefined : `${Math.round(value)}ms`)
    const columns: Column<StatusRow>[] = [
      { header: 'NODE', value: row => row.node },
      { header: 'API SERVER', value: row => row.server?.address },
      { header: 'STATE', value: row => row.server?.state },
      { header: 'WEIGHT', value: row => row.server?.weight },
      { header: 'ACTIVE', value: row => row.server?.active },
      { header: 'INACTIVE', value: row => row.server?.inactive },
      { header: 'CONNECT', value: row => ms(row.server?.connectMs) },
      { header: 'READYZ', value: row => ms(row.server?.readyMs) },
      { header: 'SINCE', value: row => row.server && since(row.server.changed, now) },
      { header: 'KNOWN BY', value: row => row.server?.source, wide: true },
      { header: 'NOTE', value: row => row.note },
    ]
    const forPeople = !flags.output || flags.output === 'wide'
    if (forPeople)
      session.say(
        `${status.vip} (${status.scheduler}) is complete on ${status.ready} of ${status.nodes.length} nodes\n`,
      )
    await print<StatusRow>(
      session,
      { columns, rows: rowsOf(status, now), data: () => status, name: ({ node }) => `node/${node}`, empty: 'No nodes' },
      flags.output,
    )
    for (const warning of forPeople ? status.warnings : []) session.say(`warning: ${warning}`)
    const [troubled] = status.nodes.filter(({ notes }) => notes.length > 0)
    if (forPeople && troubled) session.say(`hint: kubectl karmada-net vip verify ${troubled.node}`)
    else if (forPeople && status.warnings.length > 0) session.say('hint: kubectl karmada-net vip up')
  },
})
