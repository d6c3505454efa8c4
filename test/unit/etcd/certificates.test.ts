import { X509Certificate } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import {
  admin,
  adminIdentity,
  authorityOf,
  ensureAuthority,
  ensureClient,
  memberFiles,
  whyDeliver,
} from '../../../src/etcd/certificates.ts'
import type { Store } from '../../../src/etcd/store/store.ts'
import { createAuthority } from '../../../src/pki/certificate.ts'
import { clusterSpec, memberSpec } from './spec.ts'

/** A store in memory; the real ones have tests of their own. */
function memoryStore(): Store {
  const files = new Map<string, string>()
  return {
    where: 'memory',
    read: async path => files.get(path),
    write: async changes => {
      for (const [path, text] of Object.entries(changes)) {
        if (text === undefined) files.delete(path)
        else files.set(path, text)
      }
    },
    list: async () => [...files.keys()],
    lock: async () => async () => undefined,
    remove: async () => files.clear(),
  }
}

let store: Store
beforeEach(() => {
  store = memoryStore()
})
const spec = clusterSpec()
const now = new Date()

test('an authority is made once', async () => {
  expect(await ensureAuthority(store, spec)).toBe(true)
  const made = await authorityOf(store)
  expect(await ensureAuthority(store, spec)).toBe(false)
  expect(await authorityOf(store)).toEqual(made)
})

test('one’s own is taken, and no other later', async () => {
  const own = createAuthority('own', { days: 100 })
  await ensureAuthority(store, spec, own)
  expect(await authorityOf(store)).toMatchObject(own)
  await expect(ensureAuthority(store, spec, createAuthority('other', { days: 100 }))).rejects.toMatchObject({
    message: 'karmada has another certificate authority already',
    hint: expect.stringContaining('etcd certs rotate --ca'),
  })
})

test.for<[string, () => { certificate: string; key: string }, RegExp]>([
  ['that ends soon', () => createAuthority('short', { days: 3 }), /cannot be used: ends on/],
  [
    'with another’s key',
    () => ({ ...createAuthority('one', { days: 100 }), key: createAuthority('two', { days: 100 }).key }),
    /the key does not fit/,
  ],
  ['that is none', () => ({ certificate: 'x', key: 'y' }), /unreadable/],
])('an authority %s is refused', async ([, given, expected]) => {
  await expect(ensureAuthority(store, spec, given())).rejects.toThrow(expected)
  expect(await store.list()).toEqual([])
})

test('without an authority nothing is issued', async () => {
  await expect(authorityOf(store)).rejects.toThrow('there is no certificate authority in memory')
  await expect(adminIdentity(store)).rejects.toThrow('the certificate of admin is not in memory')
})

test('a member’s certificates name that member alone, for both directions', async () => {
  await ensureAuthority(store, spec)
  const files = memberFiles(await authorityOf(store), memberSpec('m2', { listen: '192.168.1.5' }), 'ecdsa-p256')
  for (const file of ['server.pem', 'peer.pem'] as const) {
    const certificate = new X509Certificate(files[file])
    expect(certificate.subjectAltName).toBe('IP Address:10.0.0.2, IP Address:192.168.1.5')
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(files[file]).toMatch(/-----BEGIN PRIVATE KEY-----/)
  }
})

test('a consumer’s certificate is a client’s, and stays', async () => {
  await ensureAuthority(store, spec)
  const first = await ensureClient(store, admin, 'ecdsa-p256')
  expect(first.issued).toBe(true)
  expect(new X509Certificate(first.pair.certificate)).toMatchObject({
    subject: 'CN=admin',
    keyUsage: ['1.3.6.1.5.5.7.3.2'],
  })
  expect(await ensureClient(store, admin, 'ecdsa-p256')).toEqual({ pair: first.pair, issued: false })
  expect(await adminIdentity(store)).toEqual({ ca: (await authorityOf(store)).certificate, ...first.pair })
})

test('what makes new certificates for a member necessary', async () => {
  await ensureAuthority(store, spec)
  const authority = await authorityOf(store)
  const member = memberSpec('m1')
  const delivered = memberFiles(authority, member, 'ecdsa-p256')
  const why = (change: Partial<Parameters<typeof whyDeliver>[1]> = {}, files = delivered) =>
    whyDeliver(files, { authority, member, now, ...change })
  expect(why()).toBeUndefined()
  expect(whyDeliver(undefined, { authority, member, now })).toBe('new')
  expect(why({ member: memberSpec('m1', { address: '10.0.0.9' }) })).toBe('server certificate is not for 10.0.0.9')
  expect(why({ now: new Date(now.getTime() + 350 * 86_400_000) })).toMatch(/^server certificate ends on /)
  const { certificate: other } = createAuthority('other', { days: 9 })
  expect(why({ authority: { certificate: other, bundle: other } })).toBe('another certificate authority')
  expect(why({}, { ...delivered, 'peer.pem': 'half a file' })).toBe('peer certificate unreadable')
})
