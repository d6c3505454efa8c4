import { describe, expect, test } from 'vitest'
import {
  whyNotAdd,
  whyNotPromote,
  whyNotRemove,
  whyNotReplace,
  whyNotWhileCorrupt,
  whyUnwiseToJoin,
  whyUnwiseToLeave,
} from '../../../../src/etcd/member/rules.ts'
import { viewOf } from './views.ts'

const allowed = undefined

describe('remove', () => {
  test.each<[string, string, RegExp | undefined]>([
    ['m1* m2 m3', 'm3', allowed],
    ['m1* m2 m3', 'm1', allowed],
    // The dead one may go: that is what makes the rest stronger.
    ['m1* m2 m3!', 'm3', allowed],
    ['m1* m2 m3!', 'm2', /^without m2 2 voters are left, 2 of them must be up, and 1 is \(m1\) \(down: m3\)$/],
    ['m1* m2 m3 m4! m5!', 'm4', allowed],
    ['m1* m2 m3 m4! m5!', 'm1', /^without m1 4 voters are left, 3 of them must be up, and 2 are \(m2, m3\)/],
    ['m1* m2', 'm2', allowed],
    ['m1*', 'm1', /^m1 is the last member/],
    ['m1 m2! m3!', 'm3', /^the cluster has no quorum: 2 of 3 voters must be up, and none is$/],
    ['m1* m2 m3 m4?', 'm4', allowed],
    // Not in the list any more: what is left of it may be cleared away.
    ['m1* m2 (m3)', 'm3', allowed],
    // One that was added by hand cannot be asked, and so counts as down.
    ['m1* m2 +m9', 'm2', /^without m2 2 voters are left, 2 of them must be up, and 1 is \(m1\) \(down: m9\)$/],
  ])('%s, remove %s: %s', (view, name, text) => expectText(whyNotRemove(viewOf(view), name), text))

  test.each<[string, string, RegExp | undefined]>([
    ['m1* m2 m3', 'm3', /^2 members survive the loss of none, 3 of 1: without m3 2 of 2 must be up$/],
    ['m1* m2 m3 m4', 'm4', allowed],
    ['m1* m2', 'm2', allowed],
    ['m1* m2 m3 m4 m5', 'm5', /^4 members survive the loss of 1, 5 of 2: without m5 3 of 4 must be up$/],
    ['m1* m2 m3 m4?', 'm4', allowed],
  ])('%s, is it wise to remove %s: %s', (view, name, text) => expectText(whyUnwiseToLeave(viewOf(view), name), text))
})

describe('add', () => {
  test.each<[string, RegExp | undefined]>([
    ['m1* (m9)', allowed],
    ['m1* m2 m3 (m9)', allowed],
    [
      'm1* m2 m3! (m9)',
      /^etcd takes a new member only while 3 of its 3 voters are up, and 2 are \(m1, m2\) \(down: m3\)$/,
    ],
    // Measured and in etcd's source: of five, one may be down.
    ['m1* m2 m3 m4 m5! (m9)', allowed],
    ['m1* m2 m3 m4! m5! (m9)', /only while 4 of its 5 voters are up/],
    ['m1* m2! (m9)', /no quorum: 2 of 2 voters must be up, and 1 is \(m1\)$/],
    ['m1* m2 m3 m4? (m9)', /^m4 is a learner, and etcd has one learner at a time$/],
    ['m1* m2 m3 m9?', allowed],
    ['m1* m2 m3 +m7? (m9)', /^m7 is a learner/],
  ])('%s: %s', (view, text) => expectText(whyNotAdd(viewOf(view), 'm9'), text))

  test.each<[string, RegExp | undefined]>([
    ['m1*', /^with m9 there are 2 members: 2 must be up, and they survive the loss of none, no more than 1 do$/],
    ['m1* m2', allowed],
    ['m1* m2 m3', /^with m9 there are 4 members: 3 must be up, and they survive the loss of 1, no more than 3 do$/],
    ['m1* m2 m3 m4', allowed],
  ])('%s, is it wise to add m9: %s', (view, text) => expectText(whyUnwiseToJoin(viewOf(view), 'm9'), text))
})

describe('replace m2', () => {
  test.each<[string, RegExp | undefined]>([
    ['m1* m2! m3', allowed],
    ['m1 m2* m3', allowed],
    ['m1* m2 m3!', /^to replace m2, 2 of the 3 voters must be up without it, and 1 is \(m1\)$/],
    ['m1* m2! m3 m4 m5!', allowed],
    ['m1* m2! m3 m4! m5!', /^to replace m2, 3 of the 5 voters must be up without it, and 2 are \(m1, m3\)$/],
    ['m1* m2', /^to replace m2, 2 of the 2 voters must be up without it, and 1 is \(m1\)$/],
    ['m2*', /^m2 is the only member: replaced, its data would be lost$/],
    // A run that was cut off: already out, or a learner already.
    ['m1* (m2) m3', allowed],
    ['m1* m2? m3', allowed],
    ['m1* m2! m3 m4?', /^m4 is a learner/],
    ['m1 m2! m3!', /must be up without it, and none is$/],
  ])('%s: %s', (view, text) => expectText(whyNotReplace(viewOf(view), 'm2'), text))
})

test.each<[string, RegExp | undefined]>([
  ['m1* m2?', allowed],
  ['m1* m2', allowed],
  ['m1* (m2)', /^m2 is not in the cluster$/],
  ['m1 m3! m2?', /no quorum/],
])('promote m2 of %s: %s', (view, text) => expectText(whyNotPromote(viewOf(view), 'm2'), text))

test('every objection says what to do next', () => {
  const hints = [
    whyNotRemove(viewOf('m1* m2 m3!'), 'm2'),
    whyNotRemove(viewOf('m1 m2! m3!'), 'm3'),
    whyNotReplace(viewOf('m1* m2! m3!'), 'm2'),
    whyNotReplace(viewOf('m1* m2'), 'm2'),
    whyNotAdd(viewOf('m1* m2 m3!'), 'm9'),
  ].map(objection => objection?.hint)
  expect(hints).toEqual([
    'first bring back or replace what is down: kubectl karmada-net etcd member replace m3',
    'start m2, m3 again; if they are lost: kubectl karmada-net etcd recover --from m1 --dry-run',
    'start m2, m3 again; if that cannot be: kubectl karmada-net etcd recover --from m1 --dry-run',
    'one more member first: kubectl karmada-net etcd member add NAME=ADDRESS,... --force',
    'kubectl karmada-net etcd member replace m3',
  ])
})

function expectText(objection: { text: string } | undefined, expected: RegExp | undefined): void {
  if (expected) expect(objection?.text).toMatch(expected)
  else expect(objection).toBeUndefined()
}

describe('while a CORRUPT alarm is raised', () => {
  const bad = (...odd: string[]) => ({ most: ['m1', 'm2', 'm3'].filter(name => !odd.includes(name)), odd })
  test.each<[string, { most: string[]; odd: string[] }, string, string | undefined, RegExp | undefined, boolean?]>([
    ['the one that differs', bad('m3'), 'm1', 'm3', allowed],
    ['the leader that differs', bad('m1'), 'm1', 'm1', allowed],
    ['all have the same', bad(), 'm1', 'm2', allowed],
    [
      'another one',
      bad('m3'),
      'm1',
      'm2',
      /^the data of m3 differ from those of m1, m2, and m2 is not the one to go$/,
      true,
    ],
    [
      'one while the leader differs',
      bad('m1'),
      'm1',
      'm2',
      /^m1 leads, and its data differ from those of m2, m3: whoever/,
    ],
    ['a newcomer', bad('m3'), 'm1', undefined, /^the data of m3 differ from those of m1, m2$/],
    [
      'without a majority',
      { most: [], odd: ['m1', 'm2'] },
      'm1',
      'm2',
      /^the data of m1 and m2 differ, and no majority/,
      true,
    ],
  ])('%s', (_, comparison, leader, leaving, text, unwise = false) => {
    const objection = whyNotWhileCorrupt(comparison, leader, leaving)
    expectText(objection, text)
    expect(objection?.unwise ?? false).toBe(unwise)
  })
})
