import { describe, expect, test } from 'vitest'
import type { NodeReport } from '../../../src/vip/report.ts'
import { answerTo } from '../../../src/vip/serve.ts'

const well: NodeReport = {
  node: 'node1',
  vip: '198.18.0.1',
  port: 6443,
  scheduler: 'lc',
  version: '0.1.0',
  started: '2026-01-01T00:00:00.000Z',
  table: { present: true, completedAt: '2026-01-01T00:00:10.000Z', flushes: 2 },
  servers: [
    {
      address: '10.0.0.1:6443',
      source: 'discovered',
      state: 'up',
      weight: 1,
      present: true,
      active: 3,
      inactive: 4,
      connectMs: 0.5,
      changed: '2026-01-01T00:00:00.000Z',
    },
    {
      address: '[fd00::2]:6443',
      source: 'static',
      state: 'down',
      weight: 0,
      present: false,
      active: 0,
      inactive: 0,
      changed: '2026-01-01T00:00:00.000Z',
      reason: 'connection refused',
    },
  ],
  discovery: { from: 'watch' },
  route: { present: true, source: '10.0.0.9' },
  sysctls: [{ name: 'net.ipv4.vs.conntrack', wanted: '1', found: '0' }],
  boot: { kind: 'systemd', installed: true },
}
const answer = (path: string, report: Partial<NodeReport> = {}, sinceLookMs = 100) =>
  answerTo(path, { report: () => ({ ...well, ...report }), sinceLookMs: () => sinceLookMs })

describe('health', () => {
  test.each<[string, Partial<NodeReport>, number, number, string]>([
    ['all is well', {}, 100, 200, 'ok'],
    ['the loop stands still', {}, 11_000, 503, 'no look at the table for 11 s'],
    ['no virtual server', { table: { present: false, flushes: 0 } }, 100, 503, 'the virtual server is not complete'],
    ['no IPVS', { table: { present: false, flushes: 0, error: 'no IPVS' } }, 100, 503, 'no IPVS'],
    ['no route', { route: { present: false } }, 100, 503, 'the local route is missing'],
    ['no route, and why', { route: { present: false, error: 'no ip' } }, 100, 503, 'no ip'],
  ])('%s', (_, report, sinceLookMs, status, body) => {
    const [code, , text] = answer('/healthz', report, sinceLookMs)
    expect([code, text]).toEqual([status, `${body}\n`])
  })

  test('the agent itself is alive as long as it looks', () => {
    expect(answer('/livez', { table: { present: false, flushes: 0 } })[0]).toBe(200)
    expect(answer('/livez', {}, 11_000)[0]).toBe(503)
  })
})

test('metrics', () => {
  const [status, type, text] = answer('/metrics')
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const lines = text.split('\n').filter(line => line && !line.startsWith('#') && !line.includes('resident'))
  expect(lines).toEqual([
    'karmada_net_vip_info{vip="198.18.0.1",port="6443",scheduler="lc",version="0.1.0"} 1',
    'karmada_net_vip_virtual_server_present 1',
    'karmada_net_vip_last_complete_timestamp_seconds 1767225610',
    'karmada_net_vip_flushes_total 2',
    'karmada_net_vip_route_present 1',
    'karmada_net_vip_discovery_failing 0',
    'karmada_net_vip_sysctls_off 1',
    'karmada_net_vip_server_up{server="10.0.0.1:6443"} 1',
    'karmada_net_vip_server_up{server="[fd00::2]:6443"} 0',
    'karmada_net_vip_server_state{server="10.0.0.1:6443",state="up"} 1',
    'karmada_net_vip_server_state{server="[fd00::2]:6443",state="down"} 1',
    'karmada_net_vip_server_weight{server="10.0.0.1:6443"} 1',
    'karmada_net_vip_server_weight{server="[fd00::2]:6443"} 0',
    'karmada_net_vip_server_active_connections{server="10.0.0.1:6443"} 3',
    'karmada_net_vip_server_active_connections{server="[fd00::2]:6443"} 0',
    'karmada_net_vip_server_inactive_connections{server="10.0.0.1:6443"} 4',
    'karmada_net_vip_server_inactive_connections{server="[fd00::2]:6443"} 0',
    'karmada_net_vip_server_connect_seconds{server="10.0.0.1:6443"} 0.0005',
  ])
  for (const line of lines) expect(text).toContain(`# TYPE ${line.replace(/[{ ].*/, '')} `)
})

test('the report is JSON, and other paths are told which there are', () => {
  expect(JSON.parse(answer('/status')[2])).toEqual(well)
  expect(answer('/')[0]).toBe(404)
})
