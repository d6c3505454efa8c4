import { expect, test } from 'vitest'
import type { MemberSpec } from '../../../../src/etcd/cluster.ts'
import { objections } from '../../../../src/etcd/inventory/index.ts'

/** One letter per member: its site. */
const members = (sites: string): MemberSpec[] =>
  [...sites].map((site, index) => ({
    name: `m${index}`,
    address: `10.0.0.${index}`,
    site,
    driver: { kind: 'docker' },
  }))

test.each([
  ['a', []],
  ['abc', []],
  ['abcde', []],
  ['aabbc', []],
  [
    'ab',
    [
      '2 members need 2 for a write, so the loss of either stops all writes: no better than 1 member, with twice as much to fail; take 1 or 3',
    ],
  ],
  [
    'abcd',
    [
      '4 members need 3 for a write, so they survive the loss of 1, no more than 3 members do, with one more to fail; take 3 or 5',
    ],
  ],
  [
    'aab',
    [
      'site a has 2 of 3 members: without it 1 is left, and a write needs 2; with two sites one of them always holds too many: put one member into a third site',
    ],
  ],
  [
    'aabbb',
    [
      'site b has 3 of 5 members: without it 2 are left, and a write needs 3; with two sites one of them always holds too many: put one member into a third site',
    ],
  ],
  ['aaabc', ['site a has 3 of 5 members: without it 2 are left, and a write needs 3; have at most 2 in one site']],
  ['aaa', ['all 3 members are in site a: its loss is the loss of the cluster; spread them over three sites']],
  [
    'aabb',
    [
      '4 members need 3 for a write, so they survive the loss of 1, no more than 3 members do, with one more to fail; take 3 or 5',
      'site a has 2 of 4 members: without it 2 are left, and a write needs 3; with two sites one of them always holds too many: put one member into a third site',
      'site b has 2 of 4 members: without it 2 are left, and a write needs 3; with two sites one of them always holds too many: put one member into a third site',
    ],
  ],
])('members in the sites %s', (sites, said) => expect(objections({ members: members(sites) })).toEqual(said))
