import { describe, expect, test } from 'vitest'
import { lacks, unreached } from '../../../src/vip/judge.ts'
import type { NodeReport, ServerReport } from '../../../src/vip/report.ts'
import type { AgentPod } from '../../../src/vip/reports.ts'
import { readSettings } from '../../../src/vip/settings.ts'
import { notesOn, rowsOf, since } from '../../../src/vip/status.ts'
import { requireName } from '../../../src/vip/up/certificates.ts'
import { describeSeen } from '../../../src/vip/up/certificates-step.ts'
import type { ClusterFacts, NodeFacts } from '../../../src/vip/up/facts.ts'
import { few, objections } from '../../../src/vip/up/objections.ts'
import { isUnsettled } from '../../../src/vip/up/settled.ts'
import { batchSize, chooseFirst, planStages } from '../../../src/vip/up/stages.ts'
import { stillMissing } from '../../../src/vip/wait.ts'

const settings = (vip = '198.18.0.1') => readSettings(JSON.stringify({ vip, port: 6443 }))
const node = (name: string, more: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  ready: true,
  controlPlane: false,
  addresses: ['10.0.0.1'],
  ...more,
})

const facts = (more: Partial<ClusterFacts> = {}): ClusterFacts => ({
  nodes: [node('a')],
  leaving: [],
  nodeAddresses: ['10.0.0.1', '10.0.0.2'],
  podNetworks: ['10.244.0.0/24'],
  serviceNetworks: ['10.96.0.0/12', 'fd00:96::/108'],
  services: [{ address: '203.0.113.7', name: 'web/front' }],
  apiServers: [{ host: '10.0.0.2', port: 6443 }],
  ...more,
})

describe('a virtual IP that cannot be', () => {
  test.each([
    ['10.103.97.2', 'lies in the network of Services, 10.96.0.0/12'],
    ['10.244.0.9', 'lies in a network of pods, 10.244.0.0/24'],
    ['203.0.113.7', 'belongs to Service web/front'],
    ['10.0.0.1', 'is the address of a node'],
    ['10.0.0.2', 'is the address of an API server'],
    ['10.0.0.200', 'lies in the network of node 10.0.0.1: nodes would answer for it on their own network'],
    ['169.254.169.254', 'is where clouds keep the metadata of their machines'],
    ['169.254.25.10', 'is where NodeLocal DNSCache listens in clusters of kubespray'],
    ['fd00:6b6e::1', 'is IPv6, but these nodes are not: a'],
  ])('%s %s', (vip, why) => {
    const found = objections(settings(vip), facts())
    expect(found.map(({ text }) => text)).toContain(`${vip} ${why}`)
    for (const { hint } of found) expect(hint).toContain('--vip ')
  })

  test('one that fits meets no objection, of either family', () => {
    expect(objections(settings(), facts())).toEqual([])
    const both = node('a', { addresses: ['10.0.0.1', 'fd00:1::1'] })
    const apiServers = [{ host: 'fd00:1::2', port: 6443 }]
    expect(objections(settings('fd00:6b6e::1'), facts({ nodes: [both], apiServers }))).toEqual([])
  })

  test('a network is guessed only of nodes that nobody looks at', () => {
    expect(objections(settings('10.0.0.200'), facts(), [])).toEqual([])
    expect(objections(settings('10.0.1.200'), facts(), ['10.0.1.7']).map(({ text }) => text)).toEqual([
      expect.stringContaining('lies in the network of node 10.0.1.7'),
    ])
  })

  test('without any API server there is nothing to lead to', () => {
    const [only] = objections(settings(), facts({ apiServers: [] }))
    expect(only?.hint).toContain('--static-server')
  })
})

test('of many the first are named', () => {
  expect(few(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
  expect(few(['a', 'b'], 2)).toBe('a, b')
})

test('certificates that are not for it come with what to run; those that nobody saw do not count', () => {
  const [one, two] = [
    { host: '10.0.0.2', port: 6443 },
    { host: '10.0.0.3', port: 6443 },
  ]
  expect(() =>
    requireName(
      [
        { server: one, fits: true },
        { server: two, fits: undefined },
      ],
      '198.18.0.1',
    ),
  ).not.toThrow()
  expect(() =>
    requireName(
      [
        { server: one, fits: true },
        { server: two, fits: false },
      ],
      '198.18.0.1',
    ),
  ).toThrow(
    expect.objectContaining({
      message: 'the certificates of these API servers are not valid for 198.18.0.1: 10.0.0.3:6443',
      hint: expect.stringMatching(
        /certSANs: \[198\.18\.0\.1\][\s\S]+kubeadm init phase certs apiserver[\s\S]+--tls-server-name/,
      ),
    }),
  )
})

test.each([
  ['the first by name', [node('b'), node('a')], 'a'],
  ['one that is ready', [node('a', { ready: false }), node('b')], 'b'],
  ['no machine of an API server', [node('a', { controlPlane: true }), node('b')], 'b'],
  ['where there are only such, the first', [node('b', { controlPlane: true }), node('a', { controlPlane: true })], 'a'],
  ['nobody', [node('a', { ready: false })], undefined],
])('it begins with %s', (_, nodes, wanted) => {
  expect(chooseFirst(nodes)?.name).toBe(wanted)
})

describe('which node gets it when', () => {
  const later = { stage: 'later' } as const
  const five = ['e', 'd', 'c', 'b', 'a'].map(name => node(name, { controlPlane: name === 'a' }))
  test.each<[string, NodeFacts[], ReadonlySet<string> | undefined, string[], string[]]>([
    ['a new installation: one, then the others', five, new Set(), ['b'], ['a', 'c', 'd', 'e']],
    ['as before: nobody waits', five, undefined, ['e', 'd', 'c', 'b', 'a'], []],
    ['more nodes: those without an agent wait', five, new Set(['a', 'b']), ['b', 'a'], ['c', 'd', 'e']],
    ['after an interruption: who waited waits', [node('a'), node('b', later)], undefined, ['a'], ['b']],
    ['interrupted before the first: it is chosen again', [node('a', later), node('b', later)], undefined, ['a'], ['b']],
    [
      'one that was leaving gets it like any other',
      [node('a'), node('b', { stage: 'leaving' })],
      undefined,
      ['a'],
      ['b'],
    ],
    ['one that is not Ready is not waited for', [node('a'), node('b', { ready: false })], undefined, ['a'], []],
    ['of new ones that are not Ready none is first', [node('a', { ready: false }), node('b')], new Set(), ['b'], ['a']],
  ])('%s', (_, nodes, has, open, waiting) => {
    expect(planStages(nodes, has)).toMatchObject({ open, later: waiting })
  })

  test('one is the first only where no other has it', () => {
    expect(planStages(five, new Set()).first).toBe('b')
    expect(planStages(five, new Set(['a'])).first).toBeUndefined()
    expect(planStages(five, undefined).first).toBeUndefined()
  })

  test('without a node that is Ready there is nothing to begin with', () => {
    expect(() => planStages([node('a', { ready: false })], new Set())).toThrow('no node is Ready')
  })

  test.each([
    [1, 2],
    [20, 2],
    [21, 3],
    [1000, 100],
  ])('of %i nodes %i at a time', (nodes, size) => {
    expect(batchSize(nodes)).toBe(size)
  })
})

const server = (more: Partial<ServerReport> = {}): ServerReport => ({
  address: '10.0.0.2:6443',
  source: 'discovered',
  state: 'up',
  weight: 1,
  present: true,
  active: 3,
  inactive: 0,
  changed: '2026-01-01T00:00:00Z',
  ...more,
})

const report = (more: Partial<NodeReport> = {}): NodeReport => ({
  node: 'a',
  vip: '198.18.0.1',
  port: 6443,
  scheduler: 'lc',
  version: '0.1.0',
  started: '2026-01-01T00:00:00Z',
  table: { present: true, flushes: 0 },
  servers: [server()],
  discovery: { from: 'watch' },
  route: { present: true },
  sysctls: [],
  boot: { kind: 'systemd', installed: true },
  ...more,
})

test.each([
  [{}, []],
  [{ scheduler: 'rr' }, ['has not seen the settings yet']],
  [{ table: { present: false, flushes: 0 } }, ['has no virtual server 198.18.0.1:6443 yet']],
  [{ route: { present: false, error: 'denied' } }, ['has no local route to 198.18.0.1: denied']],
  [
    { sysctls: [{ name: 'net.ipv4.vs.conntrack', wanted: '1', found: '0' }] },
    ['net.ipv4.vs.conntrack is 0 instead of 1'],
  ],
  [{ servers: [] }, ['knows no API server']],
  [{ servers: [server({ state: 'down' })] }, ['reaches no API server']],
])('what a node with %j lacks', (more, wanted) => {
  expect(lacks(report(more as Partial<NodeReport>), settings())).toEqual(wanted)
})

describe('waiting for agents', () => {
  const pod = (restarts = 0) =>
    ({
      metadata: { name: 'p' },
      status: { initContainerStatuses: [{ ready: restarts === 0, restartCount: restarts }] },
    }) as unknown as AgentPod
  const missing = (
    nodes: string[],
    news: Parameters<typeof stillMissing>[2],
    pods = new Map(nodes.map(each => [each, pod()])),
  ) => stillMissing(nodes, pods, news, settings())
  const lost = server({ address: '10.0.0.3:6443', state: 'down', reason: 'timeout' })

  test('a server that no node reaches is not waited for', () => {
    const all = report({ servers: [server(), lost] })
    expect(unreached(all)).toEqual(['10.0.0.3:6443 (timeout)'])
    expect(missing(['a'], [{ node: 'a', pod: 'p', report: all }])).toEqual([])
  })

  test('a server that another node reaches is', () => {
    const news = [
      { node: 'a', pod: 'p', report: report({ servers: [server(), lost] }) },
      { node: 'b', pod: 'p', report: report({ servers: [server(), server({ address: '10.0.0.3:6443' })] }) },
    ]
    expect(missing(['a', 'b'], news)).toEqual([{ text: 'a does not reach 10.0.0.3:6443 (timeout)', hopeless: false }])
  })

  test('a node without a pod is waited for, one whose preparation failed again and again is not', () => {
    expect(missing(['a'], [], new Map())).toEqual([{ text: 'a has no agent yet', hopeless: false }])
    const failing = [{ node: 'a', pod: 'p', error: 'install: no IPVS' }]
    expect(missing(['a'], failing, new Map([['a', pod(2)]]))).toEqual([{ text: 'a: install: no IPVS', hopeless: true }])
    expect(missing(['a'], failing, new Map([['a', pod(1)]]))).toEqual([
      { text: 'a: install: no IPVS', hopeless: false },
    ])
  })
})

test('status: one line for each server, the node and what is wrong with it on its first', () => {
  const flushed = report({
    servers: [
      server(),
      server({ address: '10.0.0.3:6443', state: 'down', reason: 'refused' }),
      server({ address: '10.0.0.4:6443', state: 'drained', weight: 0, active: 2 }),
    ],
    table: { present: true, flushes: 2, lastFlush: { at: '2026-01-01T00:00:00Z', suspect: 'kube-proxy restarted' } },
  })
  const nodes = [
    { node: 'a', report: flushed, notes: [] },
    { node: 'b', notes: notesOn(undefined, { ready: false }, settings()) },
  ]
  const rows = rowsOf({ vip: '', scheduler: 'lc', ready: 1, nodes, warnings: [] }, new Date('2026-01-01T00:01:30Z'))
  expect(rows.map(({ node, server, note }) => [node, server?.address, note])).toEqual([
    ['a', '10.0.0.2:6443', 'rules were removed 2 times and put back, last 90s ago; it seems: kube-proxy restarted'],
    ['', '10.0.0.3:6443', 'refused'],
    ['', '10.0.0.4:6443', 'by "vip drain"; 2 still open'],
    ['b', undefined, 'the node is not Ready: its rules go on, nobody looks after them'],
  ])
})

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7200, '2h'],
  [172_800, '2d'],
])('%i seconds are %s', (seconds, text) => {
  expect(since('2026-01-01T00:00:00Z', new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000))).toBe(text)
})

describe('nodes that are not Ready for a moment', () => {
  const now = Date.parse('2026-01-01T00:01:00Z')
  const changed = (secondsAgo: number) => ({ ready: false, readySinceMs: now - secondsAgo * 1000 })
  test.each([
    ['since a second', changed(1), true],
    ['since two minutes', changed(120), false],
    ['since when nobody knows', { ready: false }, false],
    ['Ready', { ready: true, readySinceMs: now }, false],
  ])('%s', (_, state, unsettled) => {
    expect(isUnsettled(node('a', state), now)).toBe(unsettled)
  })
})

test('what is seen of certificates is said, and what is not', () => {
  const server = { host: '10.0.0.2', port: 6443 }
  const seen = [true, true, undefined].map(fits => ({ server, fits }))
  expect(describeSeen(seen, '198.18.0.1')).toBe('2 of 3 valid for 198.18.0.1, 1 out of reach from here')
  expect(describeSeen(seen.slice(0, 2), '198.18.0.1')).toBe('2 of 2 valid for 198.18.0.1')
})
