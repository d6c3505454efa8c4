import { expect, test } from 'vitest'
import type { Driver } from '../../../src/etcd/drivers/driver.ts'
import { type Holder, parseHolder, refuseMidRestore, taken } from '../../../src/etcd/lock.ts'
import { clusterState } from './spec.ts'

const holder: Holder = {
  who: 'alice@laptop',
  where: '~/.kube/karmada-net/etcd/karmada',
  what: 'member replace m2',
  since: '2026-11-21T11:00:00.000Z',
  pid: 4711,
}

test('the second tool is told who, what and since when', () => {
  const { message, hint } = taken(holder, { since: '2026-11-21T11:00:34.400Z' })
  expect(message).toBe(
    'this etcd cluster is being changed: alice@laptop runs "etcd member replace m2" on it, since 2026-11-21T11:00:00.000Z (34s ago)',
  )
  expect(hint).toMatch(/the same command again; a lock that a killed run left ends after 30s$/)
})

test('a clock that is behind does not make it begin in the future', () => {
  expect(taken(holder, { since: '2026-11-21T10:59:00.000Z' }).message).toContain('(0s ago)')
})

test.each([undefined, '', 'not JSON', '[]', 'null', '{"who":1}'])('%j is nobody', text => {
  expect(parseHolder(text)).toBeUndefined()
})

test('what is written is read', () => {
  expect(parseHolder(JSON.stringify(holder))).toEqual(holder)
})

test.each([
  ['that its owner restores', false, 'a restore was begun, and waits for m2'],
  ['that the same command restores anew', true, undefined],
])('in the middle of a restore of a member %s', (_, acts, message) => {
  const driverOf = () => ({ acts }) as Driver
  const restoring = { file: '/backup/a.db', sha256: 'abc', bump: '1000000000', members: ['m2'] }
  const refuse = () => refuseMidRestore({ state: clusterState({}, { restoring }), driverOf })
  if (message) expect(refuse).toThrow(message)
  else expect(refuse).not.toThrow()
  expect(() => refuseMidRestore({ state: clusterState(), driverOf })).not.toThrow()
})
