import { describe, expect, test } from 'vitest'
import type { MemberSpec } from '../../../src/etcd/cluster.ts'
import { abandoned, contextsOf, inOwnWords, sameClusters, straysAmong } from '../../../src/etcd/contexts.ts'
import { clusterState, memberSpec } from './spec.ts'

const inContext = (name: string, context: string): MemberSpec =>
  memberSpec(name, { driver: { kind: 'kubernetes', context, namespace: 'n', storage: { hostPath: '/srv' } } })

/** Members m1, m2, ... in these contexts; `-` is one in Docker. */
const stateIn = (contexts: string[], clusters?: Record<string, string>) =>
  clusterState(
    {
      members: contexts.map((context, index) =>
        context === '-' ? memberSpec(`m${index + 1}`) : inContext(`m${index + 1}`, context),
      ),
    },
    { clusters },
  )

const remembered = stateIn(['east', 'west', '-'], { east: 'uid-e', west: 'uid-w' })

describe('a kubeconfig that', () => {
  test.each<[string, [string, string | undefined][], string[]]>([
    [
      'has the same names',
      [
        ['east', 'uid-e'],
        ['west', 'uid-w'],
      ],
      ['east', 'west'],
    ],
    [
      'has names of its own',
      [
        ['lab', 'uid-x'],
        ['a', 'uid-w'],
        ['b', 'uid-e'],
      ],
      ['b', 'a'],
    ],
    [
      'has the names the other way round',
      [
        ['east', 'uid-w'],
        ['west', 'uid-e'],
      ],
      ['west', 'east'],
    ],
    [
      'has two names for one',
      [
        ['a', 'uid-e'],
        ['east', 'uid-e'],
        ['west', 'uid-w'],
      ],
      ['east', 'west'],
    ],
    [
      'leads to one that is away',
      [
        ['east', undefined],
        ['west', 'uid-w'],
      ],
      ['east', 'west'],
    ],
  ])('%s', (_, reached, wanted) => {
    const { spec, clusters } = inOwnWords(remembered, new Map(reached))
    expect(contextsOf(spec)).toEqual(wanted)
    expect(clusters).toEqual({ [wanted[0] ?? '']: 'uid-e', [wanted[1] ?? '']: 'uid-w' })
    expect(spec.members[2]).toEqual(remembered.spec.members[2])
  })

  test('does not lead there is told so, and what to look for', () => {
    const look = (reached: [string, string][]) => () => inOwnWords(remembered, new Map(reached))
    expect(look([['west', 'uid-w']])).toThrow(
      expect.objectContaining({
        message: 'no context of the kubeconfig leads to the cluster of m1, remembered as east',
        hint: expect.stringContaining('UID of its kube-system: uid-e'),
      }),
    )
    const wrong: [string, string][] = [
      ['west', 'uid-w'],
      ['east', 'uid-other'],
    ]
    expect(look(wrong)).toThrow('remembered as east; context east leads to another one')
  })

  test('of clusters that nobody has noted goes by their names', () => {
    const old = stateIn(['east', 'west'])
    expect(
      inOwnWords(
        old,
        new Map([
          ['east', 'uid-1'],
          ['west', 'uid-2'],
        ]),
      ),
    ).toBe(old)
    expect(() => inOwnWords(old, new Map([['a', 'uid-1']]))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('has the context east') }),
    )
  })
})

describe('an inventory', () => {
  const asked = (...contexts: string[]) => stateIn(contexts).spec

  test('may call clusters as its writer does', () => {
    const reached = new Map([
      ['a', 'uid-e'],
      ['east', 'uid-w'],
    ])
    expect(sameClusters(remembered, asked('a', 'east', '-'), reached)).toEqual({
      clusters: { a: 'uid-e', east: 'uid-w' },
    })
  })

  test('may not have a member in another cluster', () => {
    const reached = new Map([
      ['east', 'uid-w'],
      ['west', 'uid-w'],
    ])
    expect(() => sameClusters(remembered, asked('east', 'west', '-'), reached)).toThrow(
      'm1 runs in another cluster than the one that context east leads to',
    )
  })

  test('of clusters that are away is believed', () => {
    expect(sameClusters(remembered, asked('east', 'west', '-'), new Map())).toEqual({ clusters: remembered.clusters })
    expect(sameClusters(stateIn(['-']), asked('-'), new Map())).toEqual({})
  })
})

describe('what is left behind', () => {
  test.each<[string, string[], Record<string, string>, string[]]>([
    ['by a member that has gone', ['east'], { east: 'uid-e' }, ['west']],
    ['by a cluster that is called otherwise now', ['a', 'west'], { a: 'uid-e', west: 'uid-w' }, []],
    ['by nobody', ['east', 'west', 'new'], { east: 'uid-e', west: 'uid-w', new: 'uid-n' }, []],
  ])('%s', (_, contexts, clusters, wanted) => {
    expect(abandoned(remembered, stateIn(contexts, clusters))).toEqual(wanted)
  })

  test.each<[string, [string, string | undefined][], string[]]>([
    ['a cluster without a member', [['gone', 'uid-g']], ['gone']],
    ['another name of a cluster that has one', [['alias', 'uid-e']], []],
    ['one that does not say which it is', [['gone', undefined]], []],
  ])('found later: %s', (_, more, wanted) => {
    const reached = new Map([['east', 'uid-e'], ['west', 'uid-w'], ...more])
    const found = [...reached.keys()].map(context => ({ context }))
    expect(straysAmong(found, remembered, reached).map(({ context }) => context)).toEqual(wanted)
  })

  test('no copy is nobody’s while a cluster with a member is not known', () => {
    const reached = new Map([['gone', 'uid-g']])
    expect(straysAmong([{ context: 'gone' }], stateIn(['east']), reached)).toEqual([])
  })
})
