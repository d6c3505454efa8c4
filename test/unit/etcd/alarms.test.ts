import { describe, expect, test } from 'vitest'
import { alarmRows, planAlarms } from '../../../src/etcd/alarms.ts'
import type { Alarm } from '../../../src/etcd/client/types.ts'
import { defragOrder, isWorthwhile } from '../../../src/etcd/defrag.ts'
import { alarmsIn, type ClusterView } from '../../../src/etcd/view.ts'
import { dead, healthy, listed, memberStatus, viewOf } from './views.ts'

const mib = 2 ** 20
const quota = 100 * mib
const full = (index: number) =>
  healthy(index, { status: memberStatus(index, { dbSize: 100 * mib, dbSizeQuota: quota }) })
const silent = new Error('no answer')
const nospace = (id: bigint): Alarm => ({ member: id, alarm: 'NOSPACE' })

describe('alarms in a view', () => {
  test('are read from what members say of themselves, each once', () => {
    const said = ['memberID:1 alarm:NOSPACE ', 'memberID:10501334649042878790  alarm:CORRUPT', 'etcdserver: no leader']
    const view = viewOf([1, 2, 3].map(index => healthy(index, { status: memberStatus(index, { errors: said }) })))
    expect(alarmsIn(view)).toEqual([nospace(1n), { member: 10501334649042878790n, alarm: 'CORRUPT' }])
  })

  test('name their member, or its id where nobody has a name for it', () => {
    const view = viewOf([healthy(1), healthy(2), healthy(3)])
    expect(alarmRows(view, [nospace(3n), nospace(0xabcdn)]).map(({ member }) => member)).toEqual(['m3', 'abcd'])
  })
})

describe('how to get rid of them', () => {
  const three = (index: number) => (index === 3 ? healthy(3) : full(index))
  test.each<[string, ClusterView, Alarm[], ReturnType<typeof names>]>([
    [
      'full: compact, defragment with the leader last, disarm',
      viewOf([1, 2, 3].map(three)),
      [nospace(1n)],
      { makeRoom: true, defragment: ['m1', 'm3', 'm2'], compare: false },
    ],
    [
      'an alarm that a restored snapshot brought along: disarm alone',
      viewOf([healthy(1), healthy(2), healthy(3)]),
      [nospace(77n)],
      { makeRoom: false, defragment: [], compare: false },
    ],
    [
      'a dead member is left out',
      viewOf([full(1), full(2), dead(3, silent)]),
      [nospace(3n)],
      { makeRoom: true, defragment: ['m1', 'm2'], compare: false },
    ],
    [
      'CORRUPT: data are compared first',
      viewOf([healthy(1), healthy(2), healthy(3)]),
      [{ member: 3n, alarm: 'CORRUPT' }],
      { makeRoom: false, defragment: [], compare: true },
    ],
    [
      'CORRUPT of a member that is gone, perhaps the wrong one: compared, too',
      viewOf([healthy(1), healthy(2), healthy(3)]),
      [{ member: 99n, alarm: 'CORRUPT' }],
      { makeRoom: false, defragment: [], compare: true },
    ],
  ])('%s', (_, view, alarms, plan) => expect(names(planAlarms(view, alarms, quota))).toEqual(plan))

  test('not without a quorum', () => {
    const view = viewOf([healthy(1), dead(2, silent), dead(3, silent)], { leader: undefined, hasQuorum: false })
    expect(() => planAlarms(view, [nospace(1n)], quota)).toThrow(/only by a quorum/)
  })
})

const names = (plan: ReturnType<typeof planAlarms>) => ({
  ...plan,
  defragment: plan.defragment.map(({ name }) => name),
})

describe('defragmenting', () => {
  const view = viewOf([healthy(1), healthy(2), healthy(3)])
  test.each([
    [[], 'm1 m3 m2'],
    [['m2', 'm3'], 'm3 m2'],
    [['m2'], 'm2'],
  ])('%j: followers first, the leader last', (asked, order) =>
    expect(
      defragOrder(view, asked)
        .map(({ name }) => name)
        .join(' '),
    ).toBe(order),
  )

  test.each<[string, ClusterView, RegExp]>([
    ['one dead', viewOf([healthy(1), healthy(2), dead(3, silent)]), /^not now: m3 does not answer; a member/],
    [
      'a learner',
      viewOf([healthy(1), healthy(2), healthy(3, { status: memberStatus(3, { isLearner: true }) })]),
      /m3 is a learner/,
    ],
    [
      'one not ready',
      viewOf([healthy(1), healthy(2), healthy(3, { readiness: { ready: false, failed: ['linearizable_read'] } })]),
      /m3 is not ready/,
    ],
    [
      'one not listed',
      viewOf([healthy(1), healthy(2), healthy(3, { member: undefined })]),
      /m3 is not in the member list/,
    ],
    ['no leader', viewOf([healthy(1, { member: listed(1) })], { leader: undefined }), /there is no leader/],
  ])('%s: refused', (_, ill, why) => expect(() => defragOrder(ill, [])).toThrow(why))

  test.each([
    [84 * mib, 39 * mib, true],
    [20 * 1024, 12 * 1024, false],
    [8192 * mib, 8150 * mib, false],
    [8192 * mib, 8000 * mib, true],
  ])('%d bytes of which %d are used: worth it? %s', (dbSize, dbSizeInUse, worth) =>
    expect(isWorthwhile({ dbSize, dbSizeInUse })).toBe(worth),
  )
})
