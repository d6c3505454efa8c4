import { describe, expect, test } from 'vitest'
import { classify } from '../../../src/topology/classify.ts'
import type { FleetRow, Probe } from '../../../src/topology/types.ts'
import { cluster, host, hub, plane, probe, silent } from './probes.ts'

/** A row as the table prints it, with `-` for what is not there. */
const line = (row: FleetRow) =>
  [
    row.context ?? '-',
    row.role + (row.mode ? `/${row.mode}` : ''),
    row.cluster ?? '-',
    row.planes.join('+') || '-',
    row.access,
    row.note,
  ]
    .join(' | ')
    .trim()

const lines = (...probes: Probe[]) => classify(probes).rows.map(line)

test('the fleet of the transcript', () => {
  const rows = lines(
    probe('edge-shanghai'),
    plane('karmada-apiserver', {
      apiServers: ['karmada-apiserver-a'],
      clusters: [cluster('member1', 'Pull', 'edge-shanghai'), cluster('member2'), cluster('push1', 'Push', 'dc')],
    }),
    host('kind-hub', { apiServers: ['karmada-apiserver-a'] }),
    silent('old-lab', 'timeout', 'dial 10.0.0.9:6443: no answer in 5s'),
    probe('dc'),
    probe('somewhere'),
  )
  expect(rows).toEqual([
    'kind-hub | host | - | karmada | ok | karmada-system, by karmadactl v1.18.2',
    'karmada-apiserver | plane | karmada | - | ok | 3 members: 2 pull, 1 push',
    'edge-shanghai | member/Pull | member1 | karmada | ok |',
    'dc | member/Push | push1 | karmada | ok |',
    '- | member/Pull | member2 | karmada | no context | hub-only delivery will be used',
    'somewhere | plain | - | - | ok |',
    'old-lab | unreachable | - | - | timeout | dial 10.0.0.9:6443: no answer in 5s',
  ])
})

describe('a host is proven', () => {
  const evidence = (on: Parameters<typeof host>[1], facts: Parameters<typeof plane>[1]) =>
    classify([host('h', on), plane('k', facts)]).planes[0]?.hosts.map(({ evidence }) => evidence)
  test.for([
    ['by the pod that the plane names', { apiServers: ['p1'] }, { apiServers: ['p1'] }, ['pod']],
    [
      'by a pod even where the namespace was read wrong',
      { apiServers: ['p1'], namespace: 'x' },
      { apiServers: ['p1'] },
      ['pod'],
    ],
    ['not by another pod', { apiServers: ['p2'], endpoints: ['k:6443'] }, { apiServers: ['p1'] }, []],
    ['by the address, when the plane names no pod', { apiServers: ['p2'], endpoints: ['k:6443'] }, {}, ['address']],
    ['by the certificate', { fingerprints: ['AB', 'CD'] }, { fingerprints: ['CD'] }, ['certificate']],
    ['not by the address of another namespace', { namespace: 'other', endpoints: ['k:6443'] }, {}, []],
    [
      'not by a neighbour in the namespace',
      { prefix: 'b', endpoints: ['k:6443'] },
      { hub: hub('karmada-system', 'a-aggregated-apiserver') },
      [],
    ],
    [
      'by the address when the plane does not say where it runs',
      { namespace: 'other', endpoints: ['k:6443'] },
      { hub: undefined },
      ['address'],
    ],
    ['not by being the only one there is', {}, {}, []],
  ] as const)('%s', ([, on, facts, expected]) => {
    expect(evidence({ ...on } as Parameters<typeof host>[1], { ...facts } as Parameters<typeof plane>[1])).toEqual(
      expected,
    )
  })
})

test('two planes on one host are told apart by namespace', () => {
  const { planes } = classify([
    host('h', { namespace: 'a', apiServers: ['pa'] }, { namespace: 'b', apiServers: ['pb'], installedBy: 'helm' }),
    plane('ka', { apiServers: ['pa'], hub: hub('a') }),
    plane('kb', { apiServers: ['pb'], hub: hub('b') }),
  ])
  expect(planes.map(({ name, hosts }) => [name, hosts.map(({ installation }) => installation.namespace)])).toEqual([
    ['ka', ['a']],
    ['kb', ['b']],
  ])
})

test('two planes in one namespace are told apart by name', () => {
  const rows = lines(
    host('h', { prefix: 'eu-karmada', endpoints: ['keu:6443'] }, { prefix: 'us-karmada', endpoints: ['kus:6443'] }),
    plane('keu', { hub: hub('karmada-system', 'eu-karmada-aggregated-apiserver') }),
    plane('kus', { hub: hub('karmada-system', 'us-karmada-aggregated-apiserver') }),
  )
  expect(rows[1]).toBe('keu | plane | eu-karmada | - | ok | no members')
  expect(rows[2]).toBe('kus | plane | us-karmada | - | ok | no members')
  expect(rows[0]).toContain('| eu-karmada+us-karmada |')
})

test('one plane on two hosts, reached by two addresses', () => {
  const facts = { apiServers: ['p1', 'p2'] }
  const rows = lines(
    host('h1', { apiServers: ['p1'] }),
    host('h2', { apiServers: ['p2'] }),
    plane('k1', facts, { uid: 'k' }),
    plane('k2', facts, { uid: 'k' }),
  )
  expect(rows).toEqual([
    'h1 | host | - | karmada | ok | karmada-system, by karmadactl v1.18.2',
    'h2 | host | - | karmada | ok | karmada-system, by karmadactl v1.18.2',
    'k1 | plane | karmada | - | ok | no members; runs on 2 hosts',
    'k2 | plane | karmada | - | ok | same plane as k1',
  ])
})

test('hosts with the same addresses: the pod decides', () => {
  const { planes } = classify([
    host('h1', { apiServers: ['p1'], endpoints: ['k:6443'] }),
    host('h2', { endpoints: ['k:6443'] }),
    plane('k', { apiServers: ['p1'] }),
  ])
  expect(planes[0]?.hosts.flatMap(({ contexts }) => contexts)).toEqual(['h1'])
})

test.for<[string, Probe[], string]>([
  [
    'a host whose plane has no context',
    [host('h', {})],
    'h | host | - | - | ok | karmada-system, by karmadactl v1.18.2 (no context leads to its plane)',
  ],
  [
    'a plane whose host has no context',
    [plane('k')],
    'k | plane | karmada | - | ok | no members; no context leads to its host',
  ],
  [
    'a host that is a member, too',
    [host('h', { apiServers: ['p'] }), plane('k', { apiServers: ['p'], clusters: [cluster('here', 'Push', 'h')] })],
    'h | host/Push | here | karmada | ok | karmada-system, by karmadactl v1.18.2; also push member here',
  ],
  [
    'an unknown installer, and images without a version',
    [host('h', { installedBy: 'unknown', karmadaVersion: undefined })],
    'h | host | - | - | ok | karmada-system, Karmada (no context leads to its plane)',
  ],
  [
    'a member that is not ready',
    [probe('m'), plane('k', { clusters: [cluster('m', 'Pull', 'm', false)] })].reverse(),
    'k | plane | karmada | - | ok | 1 member: 1 pull; no context leads to its host',
  ],
  [
    'clusters that may not be read',
    [plane('k', { clusters: undefined }, { gaps: [{ piece: 'clusters', text: 'may not list clusters' }] })],
    'k | plane | karmada | - | partial | no context leads to its host; may not list clusters',
  ],
])('%s', ([, probes, expected]) => {
  expect(lines(...probes)[0]).toBe(expected)
})

test('a member that is not ready says why', () => {
  expect(lines(plane('k', { clusters: [cluster('m', 'Pull', 'm', false)] }), probe('m'))[1]).toBe(
    'm | member/Pull | m | karmada | ok | not ready: ClusterNotReachable',
  )
})

test('a member of two planes', () => {
  const both = { clusters: [cluster('m')] }
  const rows = lines(
    plane('k1', { ...both, hub: hub('a', 'eu-aggregated-apiserver') }),
    plane('k2', { ...both, hub: hub('b', 'us-aggregated-apiserver') }),
    probe('m'),
  )
  expect(rows.at(-1)).toBe('m | member/Pull | m | eu+us | ok |')
})

test('a context without UID is nobody’s member, and clusters without id match nobody', () => {
  const noId = cluster('m')
  delete noId.spec.id
  expect(
    classify([plane('k', { clusters: [noId] }), probe('x', { uid: undefined })]).planes[0]?.members[0]?.contexts,
  ).toEqual([])
})
