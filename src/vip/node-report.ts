import { build } from '../build-info.ts'
import { formatEndpoint } from './address.ts'
import type { AgentView } from './agent.ts'
import type { BootReport, DiscoveryReport, NodeReport, ServerReport, SysctlReport } from './report.ts'
import type { Verdict } from './servers.ts'
import type { VipSettings } from './settings.ts'

export interface NodeFacts {
  node: string
  started: string
  settings: VipSettings
  view: AgentView
  discovery: DiscoveryReport
  sysctls: SysctlReport[]
  boot: Pick<BootReport, 'kind' | 'installed'>
}

/** What is said of a node. Pure. */
export function nodeReport({ node, started, settings, view, discovery, sysctls, boot }: NodeFacts): NodeReport {
  const { discoveryError, bootError } = view
  return {
    node,
    vip: settings.vip,
    port: settings.port,
    scheduler: settings.scheduler,
    version: build.version,
    started,
    table: view.table,
    servers: view.verdicts.map(verdict => serverReport(verdict, view, started)),
    discovery: { ...discovery, ...(discoveryError !== undefined && { error: discoveryError }) },
    route: view.route,
    sysctls,
    boot: { ...boot, ...(bootError !== undefined && { error: bootError }) },
  }
}

function serverReport(
  { address, source, state, weight, reason }: Verdict,
  { health, pass }: AgentView,
  started: string,
): ServerReport {
  const there = pass?.found?.realServers.find(server => formatEndpoint(server) === address)
  const { connect, ready, changedMs } = health.get(address) ?? {}
  return {
    address,
    source,
    state,
    weight,
    present: there !== undefined,
    active: there?.active ?? 0,
    inactive: there?.inactive ?? 0,
    ...(connect?.tookMs !== undefined && { connectMs: rounded(connect.tookMs) }),
    ...(ready?.tookMs !== undefined && { readyMs: rounded(ready.tookMs) }),
    changed: changedMs === undefined ? started : new Date(changedMs).toISOString(),
    ...(reason !== undefined && { reason }),
  }
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10
