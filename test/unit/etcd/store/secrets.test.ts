import { describe, expect, test } from 'vitest'
import { changed, copyOf, isMost, keyOf, newest, secretOf } from '../../../../src/etcd/store/copies.ts'
import { heldBy, type Lease } from '../../../../src/etcd/store/lease.ts'

const where = { namespace: 'n', name: 'etcd.blue', labels: {} }

describe('copies', () => {
  test('come back as they were put', () => {
    const copy = { revision: 7, files: { 'cluster.json': '{}\n', 'clients/karmada-apiserver.key': 'é' } }
    const secret = secretOf(where, copy)
    expect(Object.keys(secret.data ?? {})).toEqual(['cluster.json', 'clients__karmada-apiserver.key'])
    expect(copyOf(secret)).toEqual(copy)
    expect(copyOf(undefined)).toEqual({ revision: 0, files: {} })
  })

  test.each(['a b', '/a', 'a/', 'a__b', '', 'a//b'])('a path that a Secret cannot hold: "%s"', path => {
    expect(() => keyOf(path)).toThrow('is no path of a store')
  })

  test('the newest counts', () => {
    const [old, young] = [
      { revision: 3, files: { a: 'old' } },
      { revision: 4, files: { a: 'young' } },
    ]
    expect(newest([old, young, { revision: 0, files: {} }])).toBe(young)
    expect(newest([])).toEqual({ revision: 0, files: {} })
  })

  test('a change keeps the rest, removes what is undefined, and is newer', () => {
    const before = { revision: 3, files: { a: '1', b: '2' } }
    expect(changed(before, { b: undefined, c: '3' })).toEqual({ revision: 4, files: { a: '1', c: '3' } })
    expect(before.files).toEqual({ a: '1', b: '2' })
  })

  test('most are more than half', () => {
    expect([1, 2].map(count => isMost(count, 2))).toEqual([false, true])
    expect([1, 2, 3].map(count => isMost(count, 3))).toEqual([false, true, true])
  })
})

describe('who holds the lock', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
  const lease = (spec: Lease['spec'], changedAt?: string): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'etcd.blue', ...(changedAt !== undefined && { managedFields: [{ time: changedAt }] }) },
    ...(spec && { spec }),
  })
  const spec = { holderIdentity: 'alice', leaseDurationSeconds: 30, renewTime: at(0) }

  test('the one that was heard of lately', () => {
    expect(heldBy(lease(spec, at(10)), Date.parse(at(30)))).toEqual({ holder: 'alice', endsInMs: 10_000 })
  })

  test('nobody, once it was not heard of for long enough, or has let go', () => {
    expect(heldBy(lease(spec, at(10)), Date.parse(at(41)))).toBeUndefined()
    expect(heldBy(lease({ ...spec, holderIdentity: '' }, at(10)), Date.parse(at(11)))).toBeUndefined()
    expect(heldBy(lease(undefined), 0)).toBeUndefined()
  })

  test('by the server’s clock: a holder whose own is wrong is no less alive', () => {
    const past = { ...spec, renewTime: '2020-01-01T00:00:00.000000Z' }
    expect(heldBy(lease(past, at(10)), Date.parse(at(11)))?.holder).toBe('alice')
    const future = { ...spec, renewTime: '2036-01-01T00:00:00.000000Z' }
    expect(heldBy(lease(future, at(10)), Date.parse(at(50)))).toBeUndefined()
  })

  test('by its own, where the server does not tell', () => {
    expect(heldBy(lease(spec), Date.parse(at(29)))?.endsInMs).toBe(1000)
    expect(heldBy(lease(spec), Date.parse(at(31)))).toBeUndefined()
  })
})
