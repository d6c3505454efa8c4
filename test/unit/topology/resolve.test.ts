import { describe, expect, test } from 'vitest'
import { suggest } from '../../../src/suggest.ts'
import { classify } from '../../../src/topology/classify.ts'
import { selectMembers } from '../../../src/topology/members.ts'
import { resolvePlane } from '../../../src/topology/resolve.ts'
import type { Plane, Probe, Selection } from '../../../src/topology/types.ts'
import { compareVersions, requireKarmada, versionOfImage } from '../../../src/topology/version.ts'
import { clientOf, cluster, host, hub, plane, probe, silent } from './probes.ts'

const fleet = [
  host('hub', { apiServers: ['p'] }),
  plane('karmada', {
    apiServers: ['p'],
    clusters: [cluster('member1', 'Pull', 'edge'), cluster('member2'), cluster('push1', 'Push')],
  }),
  probe('edge'),
  probe('edge-admin', { uid: 'uid-edge' }),
  probe('plain'),
  silent('old-lab', 'timeout', 'dial 10.0.0.9:6443: no answer in 5s'),
]
const twoPlanes = [
  ...fleet,
  host('hub2', { apiServers: ['p2'] }),
  plane('karmada2', { apiServers: ['p2'], clusters: [cluster('edge2')] }),
  probe('edge2'),
]

const resolve = (probes: Probe[], selection: Selection = {}, currentContext?: string): Plane =>
  resolvePlane(classify(probes), selection, { clientOf, currentContext })

/** `error` and hint as the user sees them. */
const failure = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string }
    return `${message} > ${hint}`
  }
  return 'no error'
}

test('a plane comes with its host and members', () => {
  const { name, context, client, karmadaVersion, host, members } = resolve(fleet)
  expect({ name, context, client, karmadaVersion }).toEqual({
    name: 'karmada',
    context: 'karmada',
    client: { context: 'karmada' },
    karmadaVersion: 'v1.18.2',
  })
  expect(host).toMatchObject({
    context: 'hub',
    client: { context: 'hub' },
    namespace: 'karmada-system',
    installedBy: 'karmadactl',
  })
  expect(members.map(({ name, mode, context }) => [name, mode, context])).toEqual([
    ['member1', 'Pull', 'edge'],
    ['member2', 'Pull', undefined],
    ['push1', 'Push', undefined],
  ])
})

describe('which plane', () => {
  test.for<[string, Selection, string | undefined, string]>([
    ['named', { context: 'karmada2' }, 'karmada', 'karmada2'],
    ['the current context', {}, 'karmada2', 'karmada2'],
    ['whose host we are in', {}, 'hub2', 'karmada2'],
    ['whose member we are in', {}, 'edge2', 'karmada2'],
  ])('%s', ([, selection, current, expected]) => {
    expect(resolve(twoPlanes, selection, current).context).toBe(expected)
  })

  test('of two contexts of one plane the current one', () => {
    const facts = { apiServers: ['p'] }
    const probes = [host('h', { apiServers: ['p'] }), plane('a', facts, { uid: 'k' }), plane('b', facts, { uid: 'k' })]
    expect([resolve(probes).context, resolve(probes, {}, 'b').context]).toEqual(['a', 'b'])
  })

  test.for<[string, Probe[], Selection, string]>([
    ['two fit', twoPlanes, {}, '2 Karmada control planes fit: karmada, karmada2 > say which: --context karmada'],
    [
      'not Karmada, but its host',
      twoPlanes,
      { context: 'hub2' },
      'context hub2 is not a Karmada control plane, but a host of one: https://hub2:6443 serves no clusters.cluster.karmada.io > try --context karmada2',
    ],
    [
      'not Karmada at all',
      fleet,
      { context: 'plain' },
      'context plain is not a Karmada control plane: https://plain:6443 serves no clusters.cluster.karmada.io > try --context karmada',
    ],
    ['mistyped', fleet, { context: 'karmda' }, 'context "karmda" does not exist > did you mean karmada?'],
    [
      'silent',
      fleet,
      { context: 'old-lab' },
      'context old-lab cannot be reached: dial 10.0.0.9:6443: no answer in 5s > see who is who: kubectl karmada-net contexts',
    ],
    [
      'none',
      [probe('a'), silent('b', 'refused', 'x')],
      {},
      'none of the 2 contexts is a Karmada control plane; no answer from b > see who is who: kubectl karmada-net contexts',
    ],
    ['no contexts', [], {}, 'the kubeconfig has no contexts > name a kubeconfig: --kubeconfig FILE'],
  ])('%s', ([, probes, selection, expected]) => {
    expect(failure(() => resolve(probes, selection))).toBe(expected)
  })
})

describe('which host', () => {
  const twoHosts = [
    host('h1', { apiServers: ['p1'] }),
    host('h2', { apiServers: ['p2'] }),
    plane('k', { apiServers: ['p1', 'p2'] }),
  ]
  const unproven = [host('h', {}, { namespace: 'other' }), plane('k')]
  const alike = [host('h', { installedBy: 'helm' }, { namespace: 'other' }), plane('k', { hub: undefined })]

  test.for<[string, Probe[], Selection, string]>([
    ['the other of two', twoHosts, { hostContext: 'h2' }, 'h2/karmada-system'],
    ['the user’s word where nothing is proven', unproven, { hostContext: 'h' }, 'h/karmada-system'],
    ['the namespace that the user names', alike, { hostContext: 'h', namespace: 'other' }, 'h/other'],
  ])('%s', ([, probes, selection, expected]) => {
    const { host } = resolve(probes, selection)
    expect(`${host.context}/${host.namespace}`).toBe(expected)
  })

  test.for<[string, Probe[], Selection, string]>([
    [
      'two fit',
      twoHosts,
      {},
      '2 hosts fit plane karmada: h1 (namespace karmada-system), h2 (namespace karmada-system) > say which: --host-context h1',
    ],
    [
      'two namespaces fit',
      alike,
      { hostContext: 'h' },
      '2 hosts fit plane k: h (namespace karmada-system), h (namespace other) > say which: -n karmada-system',
    ],
    [
      'closed to this user',
      [plane('k', { hub: undefined }), probe('h', { gaps: [{ piece: 'pods', text: 'may not list pods' }] })],
      {},
      'no context leads to the host cluster of plane k; this user may not look into h > add the host cluster to the kubeconfig, or name its context: --host-context NAME',
    ],
    [
      'named, but closed to this user',
      [plane('k'), probe('h', { gaps: [{ piece: 'pods', text: 'may not list pods' }] })],
      { hostContext: 'h' },
      'context h cannot be checked as the host of plane karmada: this user may not list pods there > see who is who: kubectl karmada-net contexts',
    ],
    [
      'another namespace',
      fleet,
      { namespace: 'default' },
      'plane karmada does not run in namespace default, but in karmada-system > leave -n out, or: -n karmada-system',
    ],
    [
      'none proven',
      unproven,
      {},
      'no context leads to the host cluster of plane karmada, which has its workload in namespace karmada-system > if it is h, say so: --host-context NAME',
    ],
    [
      'none there',
      [plane('k'), silent('old', 'refused', 'x')],
      {},
      'no context leads to the host cluster of plane karmada, which has its workload in namespace karmada-system; no answer from old > add the host cluster to the kubeconfig, or name its context: --host-context NAME',
    ],
    [
      'silent',
      fleet,
      { hostContext: 'old-lab' },
      'context old-lab cannot be reached: dial 10.0.0.9:6443: no answer in 5s > see who is who: kubectl karmada-net contexts',
    ],
    [
      'another plane’s',
      twoPlanes,
      { context: 'karmada', hostContext: 'hub2' },
      'context hub2 is not the host of plane karmada: the Karmada in namespace karmada-system is another one > see who is who: kubectl karmada-net contexts',
    ],
    [
      'no host',
      fleet,
      { hostContext: 'edge' },
      'context edge is not the host of plane karmada: no Karmada runs there > see who is who: kubectl karmada-net contexts',
    ],
  ])('%s', ([, probes, selection, expected]) => {
    expect(failure(() => resolve(probes, selection))).toBe(expected)
  })
})

test.for<[string, string]>([
  ['may not list clusters', 'ask who may: kubectl --context k auth can-i list clusters.cluster.karmada.io'],
  [
    'could not list clusters: the server is currently unable',
    'look at the API server behind it: kubectl --context k get apiservice v1alpha1.cluster.karmada.io',
  ],
])('no list of members is not an empty one: %s', ([text, hint]) => {
  const probes = [plane('k', { clusters: undefined }, { gaps: [{ piece: 'clusters', text }] })]
  expect(failure(() => resolve(probes))).toBe(`context k: ${text} > ${hint}`)
})

describe('which context of a member', () => {
  test('given', () => {
    expect(resolve(fleet, { memberContext: { member1: 'edge-admin' } }).members[0]?.client).toEqual({
      context: 'edge-admin',
    })
  })
  test.for<[string, Record<string, string>, string]>([
    [
      'another cluster',
      { member2: 'edge' },
      'context edge is member1, not member2 > contexts of members are found without --member-context; see them: kubectl karmada-net contexts',
    ],
    ['unknown member', { membr1: 'edge' }, 'no cluster "membr1" in plane karmada > did you mean member1?'],
    ['unknown context', { member1: 'egde' }, 'context "egde" does not exist > did you mean edge?'],
  ])('%s', ([, memberContext, expected]) => {
    expect(failure(() => resolve(fleet, { memberContext }))).toBe(expected)
  })
})

describe('selectMembers', () => {
  const select = (...args: Parameters<typeof selectMembers> extends [unknown, infer S] ? [S] : never) =>
    selectMembers(resolve(fleet), ...args).map(({ name }) => name)
  test.for<[string, Parameters<typeof selectMembers>[1], string[]]>([
    ['all of a mode', { all: true, mode: 'Pull' }, ['member1', 'member2']],
    ['all', { all: true }, ['member1', 'member2', 'push1']],
    ['named, each once', { names: ['member2', 'member1', 'member2'], mode: 'Pull' }, ['member2', 'member1']],
  ])('%s', ([, selection, expected]) => {
    expect(select(selection)).toEqual(expected)
  })
  test.for<[string, Parameters<typeof selectMembers>[1], string]>([
    [
      'push',
      { names: ['push1'], mode: 'Pull' },
      'cluster "push1" is joined in push mode: Karmada reaches it at https://push1:6443 without a tunnel > pull-mode members here: member1, member2',
    ],
    ['mistyped', { names: ['membr1'] }, 'no cluster "membr1" in plane karmada > did you mean member1?'],
    ['unknown', { names: ['tokyo'] }, 'no cluster "tokyo" in plane karmada > clusters here: member1, member2, push1'],
    [
      'none named',
      { mode: 'Pull' },
      'no member named > name some of member1, member2, or all pull-mode members: --all',
    ],
  ])('%s', ([, selection, expected]) => {
    expect(failure(() => select(selection))).toBe(expected)
  })
  test('no members at all', () => {
    const empty = { name: 'karmada', members: [] }
    expect(failure(() => selectMembers(empty, { all: true, mode: 'Pull' }))).toBe(
      'plane karmada has no pull-mode members > register one: karmadactl register --help',
    )
  })
})

test.for<[string, string | undefined]>([
  ['docker.io/karmada/karmada-webhook:v1.18.2', 'v1.18.2'],
  ['localhost:5000/karmada/karmada-webhook', undefined],
  ['karmada-webhook:v1.18.2@sha256:0123', 'v1.18.2'],
  ['karmada-webhook:1.12.0-rc.1', '1.12.0-rc.1'],
  ['karmada-webhook:latest', undefined],
])('the version of image %s', ([image, expected]) => {
  expect(versionOfImage(image)).toBe(expected)
})

test('versions compare by number', () => {
  expect(['v1.9.3', 'v1.12.0', 'v1.11.10', '1.2'].sort(compareVersions)).toEqual([
    '1.2',
    'v1.9.3',
    'v1.11.10',
    'v1.12.0',
  ])
})

test.for<[string | undefined, string]>([
  [
    'v1.11.3',
    'plane karmada runs Karmada v1.11.3; anp up needs v1.12.0 or newer > upgrade Karmada first: https://karmada.io/docs/administrator/upgrading/',
  ],
  ['v1.12.0', 'no error'],
  [undefined, 'no error'],
])('Karmada %s', ([karmadaVersion, expected]) => {
  expect(failure(() => requireKarmada({ name: 'karmada', karmadaVersion }, '1.12.0', 'anp up'))).toBe(expected)
})

test.for<[string, string | undefined]>([
  ['membre1', 'member1'],
  ['MEMBER2', 'member2'],
  ['xyz', undefined],
])('meant by %s', ([name, expected]) => {
  expect(suggest(name, ['member1', 'member2'])).toBe(expected)
})

test('planes of the same name go by their contexts', () => {
  expect(
    classify([plane('a'), plane('b'), plane('c', { hub: hub('x', 'eu-aggregated-apiserver') })]).planes.map(
      ({ name }) => name,
    ),
  ).toEqual(['a', 'b', 'eu'])
})
