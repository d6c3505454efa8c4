import { expect, test } from 'vitest'
import { inTurn } from '../../../src/etcd/in-turn.ts'
import type { EtcdWorld } from '../../../src/etcd/world.ts'
import { memberSpec } from './spec.ts'

/** Who did not start is not asked for anything. */
const world = {} as EtcdWorld
const member = memberSpec('m1')

test('one after the other; who did not start, or could not, holds up nobody', async () => {
  const turn = inTurn()
  const log: string[] = []
  const start =
    (name: string, fails = false) =>
    async () => {
      log.push(`${name} begins`)
      await new Promise(setImmediate)
      log.push(`${name} ends`)
      if (fails) throw new Error(`${name} failed`)
      return false
    }
  const turns = [start('a'), start('b', true), start('c')].map(each => turn(world, member, each))
  expect((await Promise.allSettled(turns)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})
