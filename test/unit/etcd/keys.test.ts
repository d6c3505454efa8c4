import { describe, expect, test } from 'vitest'
import { groupBelow, groupOf, karmadaRootOf, rootOf } from '../../../src/etcd/keys/group.ts'
import { ownersOf, sizedGroups } from '../../../src/etcd/keys/owners.ts'
import { normalPrefix, prefixesAbove, prefixVerdict } from '../../../src/etcd/keys/prefix-verdict.ts'
import { count, newTally, samplesPerGroup } from '../../../src/etcd/keys/tally.ts'

const filled = (keys: string[], below?: string) => {
  const tally = newTally()
  for (const key of keys) count(tally, Buffer.from(key), below)
  return tally
}
const owners = (keys: string[], sizes = new Map<string, number[]>()) => {
  const tally = filled(keys)
  return ownersOf(tally, sizedGroups(tally, sizes))
}
const numbered = (count: number, name: (index: number) => string) => Array.from({ length: count }, (_, i) => name(i))

const kubernetes = (root: string, nodes = 0) => [
  ...numbered(nodes, i => `${root}/minions/node${i}`),
  `${root}/namespaces/default`,
  `${root}/namespaces/kube-system`,
  `${root}/masterleases/10.0.0.1`,
  `${root}/services/specs/default/kubernetes`,
  `${root}/services/endpoints/default/kubernetes`,
  `${root}/apiregistration.k8s.io/apiservices/v1.`,
]
const karmada = (root: string, members = 0) => [
  ...kubernetes(root),
  `${root}/apiextensions.k8s.io/customresourcedefinitions/resourcebindings.work.karmada.io`,
  ...numbered(members, i => `${root}/cluster.karmada.io/clusters/member${i}`),
]

describe('groups', () => {
  test.each([
    ['/registry/configmaps/kube-system/coredns', '/registry/configmaps'],
    ['/registry/services/specs/default/kubernetes', '/registry/services/specs'],
    ['/registry/services/endpoints/default/kubernetes', '/registry/services/endpoints'],
    ['/registry/minions/node1', '/registry/minions'],
    ['/registry/apiregistration.k8s.io/apiservices/v1.', '/registry/apiregistration.k8s.io/apiservices'],
    ['/registry/karmada/configmaps/default/x', '/registry/karmada/configmaps'],
    ['/registry/karmada/work.karmada.io/works/es-m1/w', '/registry/karmada/work.karmada.io/works'],
    ['/site-a.example/configmaps/default/x', '/site-a.example/configmaps'],
    ['/site-a.example/work.karmada.io/works/ns/x', '/site-a.example/work.karmada.io/works'],
    ['/pods/default/x', '/pods'],
    ['compact_rev_key', 'compact_rev_key'],
    ['karmada-net.io/verify/m1', 'karmada-net.io'],
    ['/some/app/data/1', '/some/app'],
    ['/alone', '/alone'],
    ['', ''],
  ])('%s is of %s', (key, group) => expect(groupOf(key)).toBe(group))

  test.each([
    ['/registry', '/registry/configmaps/ns/x', '/registry/configmaps'],
    ['/registry/configmaps', '/registry/configmaps/ns/x', '/registry/configmaps/ns'],
    ['/registry/configmaps/ns', '/registry/configmaps/ns/x', '/registry/configmaps/ns/x'],
    ['/some', '/some/app/data/1', '/some/app'],
  ])('below %s, %s is of %s', (below, key, group) => expect(groupBelow(below, key)).toBe(group))

  test.each([
    ['/registry/namespaces/default', '/registry'],
    ['/registry/karmada/namespaces/kube-system', '/registry/karmada'],
    ['/namespaces/default', ''],
    ['/registry/namespaces/team-a', undefined],
    ['/registry/configmaps/namespaces/default', undefined],
  ])('%s tells of an API server at %s', (key, root) => expect(rootOf(key)).toBe(root))

  test('a Karmada without members is one all the same', () =>
    expect(karmadaRootOf('/k/apiextensions.k8s.io/customresourcedefinitions/resourcebindings.work.karmada.io')).toBe(
      '/k',
    ))
})

describe('owners', () => {
  test('two Karmadas, the host itself, ours and a stranger', () => {
    const found = owners([
      ...kubernetes('/registry', 3),
      ...karmada('/registry/karmada', 2),
      ...karmada('/edge'),
      'compact_rev_key',
      'karmada-net.io/verify/1/m1',
      '/some/app/data/1',
    ])
    expect(
      Object.fromEntries(found.map(({ prefix, kind, about, nestedIn }) => [prefix, [kind, about, nestedIn]])),
    ).toEqual({
      '/registry': ['kubernetes', 'Kubernetes, 3 nodes, 1 API server', undefined],
      '/registry/karmada': ['karmada', 'Karmada, 2 members, 1 API server', '/registry'],
      '/edge': ['karmada', 'Karmada, 0 members, 1 API server', undefined],
      compact_rev_key: ['api-servers', 'all API servers: their common compaction', undefined],
      'karmada-net.io': ['karmada-net', 'kubectl karmada-net', undefined],
      '/some': ['unknown', 'unknown', undefined],
    })
    expect(found.find(({ prefix }) => prefix === '/registry')?.keys).toBe(9)
  })

  test('a host and a Karmada in one prefix are called what they are', () => {
    const [found] = owners([...kubernetes('/registry', 1), ...karmada('/registry', 1)])
    expect(found).toMatchObject({ prefix: '/registry', kind: 'both' })
    expect(found?.about).toContain('Kubernetes AND Karmada in one prefix, 1 node, 1 member')
  })

  test('a prefix with a dot is an API server, not a group of one', () => {
    expect(owners(karmada('/registry/site-a.example', 1)).map(({ prefix }) => prefix)).toEqual([
      '/registry/site-a.example',
    ])
  })

  test('sizes: exact where every value was read, else reckoned from the mean; the largest first', () => {
    const keys = [...numbered(100, i => `/registry/events/${i % 10}${Math.floor(i / 10)}`), '/registry/secrets/a']
    const sizes = new Map([
      ['/registry/events', [10, 20, 30]],
      ['/registry/secrets', [50]],
    ])
    expect(sizedGroups(filled(keys), sizes)).toEqual([
      { prefix: '/registry/events', keys: 100, bytes: 100 * 19 + 20 * 100, estimated: true },
      { prefix: '/registry/secrets', keys: 1, bytes: 19 + 50, estimated: false },
    ])
  })
})

describe('tally', () => {
  test('samples are few, and from all over the group', () => {
    const tally = filled(numbered(100_000, i => `/registry/events/default/${String(i).padStart(6, '0')}`))
    const { samples = [] } = tally.groups.get('/registry/events') ?? {}
    expect(samples.length).toBeGreaterThan(samplesPerGroup / 2)
    expect(samples.length).toBeLessThanOrEqual(samplesPerGroup)
    expect(samples.map(String).at(-1)).toMatch(/\/09/)
  })

  test('its memory has a limit, whatever the keys look like', () => {
    const tally = filled(numbered(10_000, i => `/junk${i}/x/y`))
    expect(tally.groups.size).toBeLessThanOrEqual(2001)
    expect(tally.groups.get('(others)')?.keys).toBe(8000)
    expect(tally.keys).toBe(10_000)
  })
})

describe('a prefix for a new consumer', () => {
  const facts = { prefix: '/registry/karmada', keysBelow: 0, usedAbove: [] }
  test('free', () => expect(prefixVerdict(facts)).toEqual({ free: true }))
  test.each([
    [{ keysBelow: 3, example: '/registry/karmada/namespaces/default' }, /is in use: 3 keys, such as .*\/default$/],
    [{ keysBelow: 1 }, /is in use: 1 key$/],
    [{ usedAbove: ['/registry'] }, /^\/registry\/karmada lies in \/registry, which an API server uses$/],
  ])('%j is refused', (over, why) => {
    const verdict = prefixVerdict({ ...facts, ...over })
    expect(verdict).toMatchObject({
      free: false,
      why: expect.stringMatching(why),
      hint: expect.stringMatching(/^choose/),
    })
  })

  test.each([
    ['/registry', '/registry'],
    ['/registry/karmada/', '/registry/karmada'],
    ['registry', undefined],
    ['/', undefined],
    ['', undefined],
    ['//x', undefined],
    ['/a b', undefined],
  ])('%j is taken as %j', (text, prefix) => expect(normalPrefix(text)).toBe(prefix))

  test('what lies above it', () => {
    expect(prefixesAbove('/a/b/c')).toEqual(['/a', '/a/b'])
    expect(prefixesAbove('/a')).toEqual([])
  })
})
