import { expect, test } from 'vitest'
import { whyNotMixed } from '../../../../src/etcd/member/mixed.ts'
import { clusterState } from '../spec.ts'
import { dead, healthy, memberStatus } from '../views.ts'

const running = (...versions: string[]) =>
  versions.map((version, index) =>
    version === '-'
      ? dead(index + 1, new Error('no answer'))
      : healthy(index + 1, { status: memberStatus(index + 1, { version }) }),
  )
const allowed = undefined

test.each<[string[], string, Record<string, string>, string, string | undefined, string?]>([
  [['3.6.16', '3.6.16', '3.6.16'], '3.6.16', {}, 'm4', allowed],
  // Patches may differ, and who is replaced does not count.
  [['3.6.11', '3.6.16', '3.6.16'], '3.6.16', {}, 'm4', allowed],
  [['3.6.16', '3.6.16', '3.5.33'], '3.6.16', {}, 'm3', allowed],
  [['-', '-', '-'], '3.6.16', {}, 'm4', allowed],
  // An upgrade was cut off in the middle, on its way or on its way back.
  [
    ['3.6.16', '3.5.33', '3.5.33'],
    '3.6.16',
    {},
    'm4',
    'the members run different minors: m1 3.6.16; m2, m3 3.5.33',
    'upgrade 3.6.16',
  ],
  [
    ['3.6.16', '3.5.33', '-'],
    '3.5.33',
    {},
    'm3',
    'the members run different minors: m1 3.6.16; m2 3.5.33',
    'upgrade 3.5.33',
  ],
  // It was cut off before the first member.
  [
    ['3.5.33', '3.5.33', '3.5.33'],
    '3.6.16',
    {},
    'm4',
    'm4 would run etcd 3.6.16, beside m1, m2, m3 3.5.33',
    'upgrade 3.6.16',
  ],
  // A member that is replaced runs what was noted for it.
  [['3.5.33', '3.5.33', '-'], '3.6.16', { m3: '3.5.33' }, 'm3', allowed],
  [
    ['3.6.16', '3.6.16', '-'],
    '3.6.16',
    { m3: '3.5.33' },
    'm3',
    'm3 would run etcd 3.5.33, beside m1, m2 3.6.16',
    'upgrade 3.6.16',
  ],
  // Upgraded by hand.
  [
    ['3.6.16', '3.6.16', '3.6.16'],
    '3.5.33',
    {},
    'm4',
    'm4 would run etcd 3.5.33, beside m1, m2, m3 3.6.16',
    'upgrade 3.6.16',
  ],
])('%j, known as %s %j: may %s come?', (versions, version, noted, name, text, hint = '') => {
  const members = Object.fromEntries(Object.entries(noted).map(([each, v]) => [each, { generation: 1, version: v }]))
  const objection = whyNotMixed({ members: running(...versions) }, clusterState({ version }, { members }), name)
  expect(objection?.text).toBe(text)
  expect(objection?.hint ?? '').toContain(hint)
})
