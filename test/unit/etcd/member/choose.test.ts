import { expect, test } from 'vitest'
import { planScale, whyUnwiseCount } from '../../../../src/etcd/member/choose.ts'
import { spec, viewOf } from './views.ts'

test.each<[string, number, string[], string]>([
  ['m1*', 3, ['m2', 'm3'], '+m2 +m3'],
  ['m1* m2 m3', 3, [], ''],
  ['m1* m2 m3', 5, ['m4', 'm5'], '+m4 +m5'],
  // Named again after Ctrl-C: one is in already, one is a learner, or only remembered.
  ['m1* m2', 3, ['m2', 'm3'], '+m3'],
  ['m1* m2?', 3, ['m2', 'm3'], '+m2 +m3'],
  ['m1* m2 (m3)', 3, ['m2', 'm3'], '+m3'],
  ['m1* m2 m3 m4 m5', 3, [], '-m5 -m4'],
  ['m1* m2 m3', 1, [], '-m3 -m2'],
  ['m1 m2 m3*', 1, [], '-m2 -m1'],
  ['m1* m2! m3 m4 m5', 3, [], '-m2 -m5'],
  ['m1* m2 m3 m4?', 3, [], '-m4'],
  ['m1* m2 m3 (m4)', 1, [], '-m4 -m3 -m2'],
])('%s, scale %i with %j: %s', (view, wanted, named, expected) => {
  const plan = planScale(
    viewOf(view),
    wanted,
    named.map(name => spec(name)),
  )
  if ('text' in plan) throw new Error(plan.text)
  const words = [...plan.add.map(({ name }) => `+${name}`), ...plan.remove.map(name => `-${name}`)]
  expect(words.join(' ')).toBe(expected)
})

test('the sites that stay are as different as they can be', () => {
  const view = viewOf('m1* m2 m3 m4 m5')
  const sites = ['a', 'a', 'b', 'b', 'c']
  const spread = view.members.map((member, index) => ({
    ...member,
    spec: { ...member.spec, site: sites[index] ?? '' },
  }))
  expect(planScale({ ...view, members: spread, leader: spread[0] }, 3, [])).toEqual({ add: [], remove: ['m4', 'm2'] })
})

test.each<[string, number, string[], RegExp]>([
  ['m1*', 3, ['m2'], /^from 1 to 3 members 2 more are needed, and 1 is named$/],
  ['m1* m2 m3', 5, [], /^from 3 to 5 members 2 more are needed, and none are named$/],
  ['m1*', 3, ['m2', 'm3', 'm4'], /and 3 are named$/],
  ['m1* m2 +m9', 5, [], /^m9 is in the cluster and not in the inventory$/],
])('%s, scale %i with %j is refused: %s', (view, wanted, named, text) => {
  expect(
    planScale(
      viewOf(view),
      wanted,
      named.map(name => spec(name)),
    ),
  ).toMatchObject({ text: expect.stringMatching(text) })
})

test.each([
  [1, undefined],
  [2, /^2 members survive the loss of none, no more than 1 do/],
  [3, undefined],
  [4, /^4 members survive the loss of 1, no more than 3 do/],
])('%i members: unwise %s', (count, text) => {
  if (text) expect(whyUnwiseCount(count)?.text).toMatch(text)
  else expect(whyUnwiseCount(count)).toBeUndefined()
})
