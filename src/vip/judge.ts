import { formatEndpoint } from './address.ts'
import type { NodeReport } from './report.ts'
import type { VipSettings } from './settings.ts'

/** What a node lacks before its virtual IP is as the settings say, one line each; empty: nothing. Pure. */
export function lacks(report: NodeReport, settings: VipSettings): string[] {
  const { vip, port, scheduler } = settings
  if (report.vip !== vip || report.port !== port || report.scheduler !== scheduler)
    return ['has not seen the settings yet']
  const up = report.servers.filter(({ state }) => state === 'up')
  const sysctls = report.sysctls.filter(({ wanted, found }) => wanted !== found)
  return [
    ...(report.table.error === undefined ? [] : [report.table.error]),
    ...(report.table.present ? [] : [`has no virtual server ${formatEndpoint({ host: vip, port })} yet`]),
    ...(report.route.present ? [] : [`has no local route to ${vip}${because(report.route.error)}`]),
    ...sysctls.map(({ name, wanted, found }) => `${name} is ${found ?? 'missing'} instead of ${wanted}`),
    ...(report.servers.length === 0 ? ['knows no API server'] : []),
    ...(report.servers.length > 0 && up.length === 0 ? ['reaches no API server'] : []),
  ]
}

/** API servers that a node does not reach although they should be, as `10.0.0.1:6443 (timeout)`. Pure. */
export const unreached = ({ servers }: NodeReport): string[] =>
  servers
    .filter(({ state }) => state === 'down' || state === 'unknown')
    .map(({ address, state, reason }) => `${address} (${reason ?? state})`)

const because = (why: string | undefined): string => (why === undefined ? '' : `: ${why}`)
