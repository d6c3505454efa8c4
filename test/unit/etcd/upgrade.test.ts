import { expect, test } from 'vitest'
import { towards, unfinished, versionsOf } from '../../../src/etcd/upgrade.ts'
import { clusterState } from './spec.ts'
import { dead, healthy, memberStatus, viewOf } from './views.ts'

const lost = new Error('connection refused')
const runs = (index: number, version: string) => healthy(index, { status: memberStatus(index, { version }) })
const recorded = (...versions: string[]) =>
  clusterState(
    { version: versions[0] ?? '' },
    { members: Object.fromEntries(versions.map((version, index) => [`m${index + 1}`, { generation: 1, version }])) },
  )
const [old, target] = ['3.5.33', '3.6.16']

test.each([
  [
    'at the start: all',
    recorded(old, old, old),
    [runs(1, old), runs(2, old), runs(3, old)],
    ['m1', 'm2', 'm3'],
    undefined,
  ],
  [
    'in the middle: those left',
    recorded(target, old, old),
    [runs(1, target), runs(2, old), runs(3, old)],
    ['m2', 'm3'],
    undefined,
  ],
  [
    'cut off: the one that is down first',
    recorded(target, target, old),
    [runs(1, target), runs(2, old), dead(3, lost)],
    ['m2', 'm3'],
    'm3',
  ],
  [
    'cut off while it was stopped',
    recorded(target, old, old),
    [dead(1, lost), runs(2, old), runs(3, old)],
    ['m1', 'm2', 'm3'],
    'm1',
  ],
  [
    'not begun, one is down: nobody in hand',
    recorded(old, old, old),
    [runs(1, old), runs(2, old), dead(3, lost)],
    ['m1', 'm2', 'm3'],
    undefined,
  ],
  ['done', recorded(target, target, target), [runs(1, target), runs(2, target), runs(3, target)], [], undefined],
])('who is to be upgraded %s', (_, state, members, only, inHand) => {
  expect(unfinished(state, viewOf(members), target)).toEqual({ only, inHand })
})

test('what a run that was cut off noted for a member it never came to is taken back', () => {
  const state = recorded(old, target, old)
  const wanted = towards(state, { target: old, only: [] })
  expect(Object.values(wanted.members).map(({ version }) => version)).toEqual([old, old, old])
  expect(towards(state, { target, image: 'mirror/etcd', only: ['m1', 'm3'] })).toEqual({
    ...state,
    spec: { ...state.spec, version: target, image: 'mirror/etcd' },
  })
})

test('of a member that is down counts what it was last started with', () => {
  const view = viewOf([runs(1, target), runs(2, old), dead(3, lost)])
  expect(versionsOf(recorded(target, old, target), view).map(({ version }) => version)).toEqual([target, old, target])
})
