import type { NodeReport, ServerReport } from './report.ts'

/** A report in the text format of Prometheus. Pure. */
export function metricsText(report: NodeReport): string {
  const { table, servers, route, discovery, sysctls } = report
  const of = ({ address }: ServerReport) => `{server="${address}"}`
  const each = (value: (server: ServerReport) => number | undefined) =>
    servers.flatMap((server): Sample[] => {
      const found = value(server)
      return found === undefined ? [] : [[of(server), found]]
    })
  const families: Family[] = [
    ['info', 'gauge', 'The virtual IP of this node and the version of its agent.', [[infoLabels(report), 1]]],
    [
      'virtual_server_present',
      'gauge',
      'Is the virtual server in the kernel as wanted?',
      [['', Number(table.present)]],
    ],
    [
      'last_complete_timestamp_seconds',
      'gauge',
      'When the virtual server was last found, or made, as wanted.',
      table.completedAt === undefined ? [] : [['', Date.parse(table.completedAt) / 1000]],
    ],
    ['flushes_total', 'counter', 'How often somebody else removed the virtual server.', [['', table.flushes]]],
    ['route_present', 'gauge', 'Is the virtual IP an address of this node?', [['', Number(route.present)]]],
    ['discovery_failing', 'gauge', 'Can API servers not be watched?', [['', Number(discovery.error !== undefined)]]],
    ['sysctls_off', 'gauge', 'Kernel settings that are not as wanted.', [['', sysctls.filter(isOff).length]]],
    ['server_up', 'gauge', 'Is the API server up?', each(({ state }) => Number(state === 'up'))],
    [
      'server_state',
      'gauge',
      'What is thought of the API server.',
      servers.map(({ address, state }) => [`{server="${address}",state="${state}"}`, 1]),
    ],
    ['server_weight', 'gauge', 'Its weight; with 0 it gets no new connections.', each(({ weight }) => weight)],
    ['server_active_connections', 'gauge', 'As the kernel counts them.', each(({ active }) => active)],
    ['server_inactive_connections', 'gauge', 'As the kernel counts them.', each(({ inactive }) => inactive)],
    ['server_connect_seconds', 'gauge', 'What the last TCP connection took.', each(seconds('connectMs'))],
    ['server_ready_seconds', 'gauge', 'What the last good answer of /readyz took.', each(seconds('readyMs'))],
    ['resident_memory_bytes', 'gauge', 'Of the agent.', [['', process.memoryUsage.rss()]]],
  ]
  return families
    .filter(([, , , samples]) => samples.length > 0)
    .map(familyText)
    .join('')
}

type Sample = [labels: string, value: number]
type Family = [name: string, type: 'gauge' | 'counter', help: string, samples: Sample[]]

function familyText([name, type, help, samples]: Family): string {
  const full = `karmada_net_vip_${name}`
  const lines = samples.map(([labels, value]) => `${full}${labels} ${value}\n`).join('')
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines}`
}

const infoLabels = ({ vip, port, scheduler, version }: NodeReport): string =>
  `{vip="${vip}",port="${port}",scheduler="${scheduler}",version="${version}"}`

const seconds = (field: 'connectMs' | 'readyMs') => (server: ServerReport) => {
  const ms = server[field]
  return ms === undefined ? undefined : ms / 1000
}

const isOff = ({ found, wanted }: NodeReport['sysctls'][number]): boolean => found !== wanted
