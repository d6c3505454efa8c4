import { expect, test } from 'vitest'
import { clockTrouble, ownClockTrouble, requireClocks } from '../../../src/etcd/clocks.ts'

const clocks = (...skews: (number | undefined)[]) => skews.map((skewMs, index) => ({ name: `m${index + 1}`, skewMs }))

test.each([
  [undefined, undefined],
  [-4900, undefined],
  [61_000, "its clock is 61 s ahead of this machine's"],
  [-7000, "its clock is 7 s behind this machine's"],
])('%s ms', (skewMs, text) => expect(clockTrouble(skewMs)?.text).toBe(text))

test.each([
  [clocks(-3_600_000, -3_600_020, -3_599_900), "this machine's clock is 3600 s ahead of those of m1, m2, m3"],
  [clocks(60_000, undefined, 60_500), "this machine's clock is 60 s behind those of m1, m3"],
  // One that is right, one that is off otherwise, one alone: it may be theirs.
  [clocks(-3_600_000, 0, -3_600_000), undefined],
  [clocks(-3_600_000, -60_000), undefined],
  [clocks(-3_600_000, undefined), undefined],
  [clocks(), undefined],
])('whose clock is wrong? %#', (members, text) => expect(ownClockTrouble(members)?.text).toBe(text))

test('no certificates while clocks differ', () => {
  expect(() => requireClocks(clocks(0, 900, undefined))).not.toThrow()
  expect(() => requireClocks(clocks(0, 61_000, 0))).toThrow(
    "m2: its clock is 61 s ahead of this machine's; certificates made now would not be valid there",
  )
  expect(() => requireClocks(clocks(-61_000, -61_000))).toThrow(
    "this machine's clock is 61 s ahead of those of m1, m2;",
  )
})
