import { expect, test } from 'vitest'
import { type Holder, parseHolder, taken } from '../../../src/etcd/lock.ts'

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
