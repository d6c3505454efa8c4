import { describe, expect, test } from 'vitest'
import { connectionsOf, leftWithout, outcome, todo } from '../../../src/vip/drain/judge.ts'
import { callables, find } from '../../../src/vip/drain/target.ts'
import type { ConfigMap } from '../../../src/vip/objects.ts'
import type { NodeReport, ServerReport } from '../../../src/vip/report.ts'
import type { NodeNews } from '../../../src/vip/reports.ts'
import { readSettings } from '../../../src/vip/settings.ts'
import { withSettings, withWish } from '../../../src/vip/write-settings.ts'

const node = (name: string, ...addresses: string[]) => ({ name, ready: true, controlPlane: true, addresses })

describe('the API server that is meant', () => {
  const settings = { vip: '198.18.0.1', staticServers: ['10.0.0.9:7443'], drained: ['10.0.0.3:6443'] }
  const apiServers = [
    { host: '10.0.0.1', port: 6443 },
    { host: '10.0.0.1', port: 7443 },
    { host: '10.0.0.2', port: 6443 },
    { host: 'fd00::1', port: 6443 },
  ]
  const servers = callables(settings, { apiServers, nodes: [node('cp1', '10.0.0.1'), node('cp2', '10.0.0.2')] })

  test('those of the other family are none, one that is gone but drained is one', () => {
    expect(servers.map(({ address }) => address)).toEqual([
      '10.0.0.1:6443',
      '10.0.0.1:7443',
      '10.0.0.2:6443',
      '10.0.0.3:6443',
      '10.0.0.9:7443',
    ])
  })

  test.each([
    ['10.0.0.1:7443', '10.0.0.1:7443'],
    ['10.0.0.2', '10.0.0.2:6443'],
    ['10.0.0.3', '10.0.0.3:6443'],
    ['10.0.0.9', '10.0.0.9:7443'],
    ['cp2', '10.0.0.2:6443'],
  ])('%s', (word, address) => {
    expect(find(word, servers)).toBe(address)
  })

  test.each([
    ['10.0.0.1', 'is several API servers: 10.0.0.1:6443, 10.0.0.1:7443', 'the port'],
    ['cp1', 'is several API servers', 'the port'],
    ['cp', 'no API server "cp"', 'did you mean cp1?'],
    ['10.0.0.2:6444', 'no API server', 'did you mean 10.0.0.2:6443?'],
    ['elsewhere', 'no API server', 'there are: 10.0.0.1:6443'],
  ])('%s is refused: %s', (word, message, hint) => {
    const refusal = expect(() => find(word, servers))
    refusal.toThrow(expect.objectContaining({ message: expect.stringContaining(message) }))
    refusal.toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }))
  })

  test('IPv6, however it is written', () => {
    const six = callables({ ...settings, vip: 'fd00::9', staticServers: [], drained: [] }, { apiServers, nodes: [] })
    expect(find('FD00:0:0::1', six)).toBe('[fd00::1]:6443')
    expect(find('[fd00::1]:6443', six)).toBe('[fd00::1]:6443')
  })
})

const server = (address: string, more: Partial<ServerReport> = {}): ServerReport => ({
  address,
  source: 'discovered',
  state: 'up',
  weight: 1,
  present: true,
  active: 0,
  inactive: 0,
  changed: '2026-11-21T12:00:00Z',
  ...more,
})
const news = (name: string, ...servers: ServerReport[]): NodeNews => ({
  node: name,
  pod: `p-${name}`,
  report: { node: name, servers } as Partial<NodeReport> as NodeReport,
})
const a = '10.0.0.1:6443'
const b = '10.0.0.2:6443'

test('the last one that is up is told node by node', () => {
  const both = news('n1', server(a), server(b))
  const alone = news('n2', server(a), server(b, { state: 'down', weight: 0 }))
  const other = news('n3', server(a), server(b, { state: 'drained', weight: 0 }))
  const silent: NodeNews = { node: 'n4', pod: 'p', error: 'no answer' }
  expect(leftWithout([both, alone, other, silent], a)).toEqual(['n2', 'n3'])
})

describe('what a node still has to do', () => {
  const drained = { state: 'drained', weight: 0 } as const
  const kept = { state: 'drained', weight: 1, reason: 'drained, but no other server is up' } as const
  test.each([
    ['drained', server(a, drained), false, undefined],
    ['drained', server(a), false, 'has not heard of it yet'],
    ['drained', server(a, { state: 'down', weight: 0 }), false, undefined],
    ['drained', server(a, kept), false, 'drained, but no other server is up'],
    ['drained', server(a, kept), true, undefined],
    ['drained', server(b), false, undefined],
    ['back', server(a, drained), false, 'has not heard of it yet'],
    ['back', server(a), false, undefined],
    ['back', server(a, { state: 'down', weight: 0 }), false, undefined],
  ] as const)('%s: %o', (wish, found, forced, expected) => {
    expect(todo(news('n', found), a, wish, forced)).toBe(expected)
  })

  test('one whose agent says nothing is waited for', () => {
    expect(todo({ node: 'n', pod: 'p', error: 'no answer' }, a, 'drained', false)).toBe('no answer')
    expect(todo(undefined, a, 'drained', true)).toBe('has no agent')
  })
})

test('open connections and outcome, by node', () => {
  const all = [
    news('n1', server(a, { active: 2 })),
    news('n2', server(a)),
    news('n3', server(a, { state: 'down', reason: 'connection refused' })),
  ]
  expect(connectionsOf(all, a)).toEqual([{ node: 'n1', active: 2 }])
  expect(outcome(all, a)).toBe('up on 2 of 3 nodes; n3: down, connection refused')
})

describe('the settings', () => {
  const config = (drained: string[]): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'karmada-net-vip', resourceVersion: '7' },
    data: { 'settings.json': JSON.stringify({ vip: '198.18.0.1', port: 6443, drained, ofTheFuture: 1 }) },
  })
  const drainedIn = (map: ConfigMap | undefined) => map && JSON.parse(map.data?.['settings.json'] ?? '')

  test('one more, one less, and what is not known stays', () => {
    expect(drainedIn(withWish(a, 'drained')(config([b])))).toMatchObject({ drained: [a, b], ofTheFuture: 1 })
    expect(drainedIn(withWish(a, 'back')(config([a, b])))).toMatchObject({ drained: [b] })
  })

  test('so already', () => {
    expect(withWish(a, 'drained')(config([a]))).toBeUndefined()
    expect(withWish(a, 'back')(config([b]))).toBeUndefined()
  })

  test('"vip up" writes all but who is drained: that may have come meanwhile', () => {
    const settings = {
      ...readSettings(config([]).data?.['settings.json'] ?? ''),
      scheduler: 'rr' as const,
      drained: [b],
    }
    const asked = { nodes: [] }
    const map = config([a])
    map.metadata.annotations = { 'karmada-net.io/of-others': 'stays', 'kubectl.kubernetes.io/x': 'is not ours' }
    const wanted = withSettings({ settings, asked })(map)
    expect(drainedIn(wanted)).toMatchObject({ scheduler: 'rr', drained: [a], ofTheFuture: 1 })
    expect(wanted?.metadata.annotations).toEqual({
      'karmada-net.io/of-others': 'stays',
      'karmada-net.io/vip-asked': '{"nodes":[]}',
    })
    expect(drainedIn(withSettings({ settings, asked })(undefined))).toMatchObject({ drained: [b] })
  })
})
