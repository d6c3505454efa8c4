import { expect, test } from 'vitest'
import { createLimit } from '../../../src/topology/limit.ts'

/** Runs that end when told to, and the order in which they began. */
function work() {
  const began: number[] = []
  const ends = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<number>())
  return {
    began,
    run: (n: number) => () => {
      began.push(n)
      return ends[n]?.promise ?? Promise.resolve(n)
    },
    end: async (n: number) => {
      ends[n]?.resolve(n)
      await new Promise(setImmediate)
    },
    fail: async (n: number) => {
      ends[n]?.reject(new Error('failed'))
      await new Promise(setImmediate)
    },
  }
}

test('at most so many at a time, in order, whether they fail or not', async () => {
  const { began, run, end, fail } = work()
  const limit = createLimit(2)
  const all = Promise.allSettled([0, 1, 2, 3].map(n => limit(run(n))))
  await new Promise(setImmediate)
  expect(began).toEqual([0, 1])
  await fail(1)
  expect(began).toEqual([0, 1, 2])
  await end(0)
  expect(began).toEqual([0, 1, 2, 3])
  await Promise.all([end(2), end(3)])
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
})

test('a limit that widens lets in who waits', async () => {
  const { began, run, end } = work()
  const limit = createLimit(1)
  const all = Promise.all([0, 1, 2, 3].map(n => limit(run(n))))
  await new Promise(setImmediate)
  limit.widen(3)
  await new Promise(setImmediate)
  expect(began).toEqual([0, 1, 2])
  for (const n of [0, 1, 2, 3]) await end(n)
  expect(await all).toEqual([0, 1, 2, 3])
})
