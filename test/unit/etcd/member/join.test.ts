import { expect, test } from 'vitest'
import type { ClusterState } from '../../../../src/etcd/cluster.ts'
import { entryOf } from '../../../../src/etcd/member/ask.ts'
import { nextGeneration, withMember, withoutMember } from '../../../../src/etcd/member/join.ts'
import { entry, spec } from './views.ts'

test.each<[string, number | undefined, number | undefined, number]>([
  ['a new member on a machine that never had one', undefined, undefined, 1],
  ['a new member where another life has begun before', undefined, 3, 4],
  ['what was used is not used again', 1, 1, 2],
  ['its container is gone: nobody knows what was used', 1, undefined, 2],
  ['a run that was cut off chose one and has not started in it', 2, 1, 2],
  ['what is remembered is older than what runs', 1, 3, 4],
])('%s: remembered %s, started %s', (_, remembered, started, expected) => {
  expect(nextGeneration(remembered, started)).toBe(expected)
})

const state = {
  spec: { version: '3.6.16', members: [spec('m1'), spec('m2')], ports: { peer: 2380 } },
  members: { m1: { generation: 1, version: '3.6.16' }, m2: { generation: 1, version: '3.5.33' } },
} as unknown as ClusterState

test('a member that moves keeps its place and its version; a new one comes last', () => {
  const moved = { ...spec('m1'), address: '10.0.9.9' }
  expect(withMember(state, moved, 2).spec.members).toEqual([moved, spec('m2')])
  expect(withMember(state, spec('m2'), 2).members['m2']).toEqual({ generation: 2, version: '3.5.33' })
  const grown = withMember(state, spec('m3'), 1)
  expect(grown.spec.members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3'])
  expect(withoutMember(grown, 'm3')).toEqual(state)
})

test('an entry is known by its address before it has a name, and by its name where it had another address', () => {
  const nameless = { ...entry('m2', true), name: '' }
  const moved = { ...entry('m1'), peerUrls: ['https://10.0.9.9:2380'] }
  expect(entryOf([moved, nameless], spec('m2'), state.spec)).toBe(nameless)
  expect(entryOf([nameless, moved], spec('m1'), state.spec)).toBe(moved)
  expect(entryOf([nameless, moved], spec('m3'), state.spec)).toBeUndefined()
})
