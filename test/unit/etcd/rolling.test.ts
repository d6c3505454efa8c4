import { describe, expect, test } from 'vitest'
import { heir, nextMember } from '../../../src/etcd/rolling.ts'
import { dead, healthy, listed, memberStatus, viewOf } from './views.ts'

const refused = new Error('10.0.0.3: connection refused')
const three = [healthy(1), healthy(2), healthy(3)]
const names = ['m1', 'm2', 'm3']
const corrupt = (index: number) =>
  healthy(index, {
    status: memberStatus(index, { errors: ['memberID:3 alarm:CORRUPT '] }),
    readiness: { ready: false, failed: ['data_corruption failed: alarm activated: CORRUPT'] },
  })

describe('whose turn it is', () => {
  test.each([
    ['a follower first', three, names, undefined, 'm1', false],
    ['the followers before the leader', three, ['m2', 'm3'], undefined, 'm3', false],
    ['the leader last, once it has handed over', three, ['m2'], undefined, 'm2', true],
    [
      'the one that is down since a run was cut off',
      [healthy(1), healthy(2), dead(3, refused)],
      names,
      'm3',
      'm3',
      false,
    ],
    ['the one in hand, up again', three, names, 'm3', 'm3', false],
    ['the one in hand, leader again', three, names, 'm2', 'm2', true],
    ['nobody in hand who is done', three, ['m1', 'm2'], 'm3', 'm1', false],
  ])('%s', (_, members, left, inHand, name, leads) => {
    const next = nextMember(viewOf(members), left, inHand)
    expect([next.member.spec.name, next.leads]).toEqual([name, leads])
  })

  test.each([
    [
      'a member of three is down',
      viewOf([healthy(1), healthy(2), dead(3, refused)]),
      'm3 is down: with another one restarting 1 of 3 would be left, and 2 are needed (10.0.0.3: connection refused)',
    ],
    [
      'a member of five is down',
      viewOf([healthy(1), healthy(2), healthy(3), healthy(4), dead(5, refused)]),
      'm5 is down: all must be healthy before one is restarted',
    ],
    [
      'a member answers and is not ready',
      viewOf([
        healthy(1),
        healthy(2),
        healthy(3, { readiness: { ready: false, failed: ['linearizable_read failed'] } }),
      ]),
      'm3 is down: with another one restarting 1 of 3 would be left, and 2 are needed (linearizable_read failed)',
    ],
    [
      'a member knows no leader',
      viewOf([healthy(1), healthy(2), healthy(3, { status: memberStatus(3, { leader: 0n }) })]),
      'm3 is down',
    ],
    [
      'two are down',
      viewOf([healthy(1), dead(2, refused), dead(3, refused)]),
      'm2, m3 are down: with another one restarting 0 of 3',
    ],
    ['nobody is agreed on as leader', viewOf(three, { leader: undefined }), 'there is no leader'],
    [
      'a learner is not promoted yet',
      viewOf([healthy(1), healthy(2), healthy(3, { status: memberStatus(3, { isLearner: true }) })]),
      'a change of members is under way',
    ],
    [
      'the data of one differ: all answer, none is ready, and none may be taken for the one to replace',
      viewOf([1, 2, 3].map(corrupt)),
      'a CORRUPT alarm is raised: the data of a member differ',
    ],
    [
      'somebody is in the list whom the inventory does not know',
      viewOf(three, { strangers: [listed(4, { name: '' })] }),
      'a change of members is under way',
    ],
  ])('nobody’s: %s', (_, view, message) => {
    expect(() => nextMember(view, names)).toThrow(message)
  })

  test('nobody’s: another one is down than the one in hand', () => {
    expect(() => nextMember(viewOf([dead(1, refused), healthy(2), healthy(3)]), names, 'm3')).toThrow('m1 is down')
  })
})

test('leadership goes to the follower that has applied most', () => {
  const [m1, m2] = [healthy(1, { status: memberStatus(1, { raftAppliedIndex: 999n }) }), healthy(2)]
  expect(heir(viewOf([m1, m2, healthy(3)]), m2)?.spec.name).toBe('m3')
  expect(heir(viewOf([m2]), m2)).toBeUndefined()
})
