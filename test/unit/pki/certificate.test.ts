import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAuthority, issue, type KeyPair, type KeyType } from '../../../src/pki/certificate.ts'
import { daysLeft, expiry, whyReplace } from '../../../src/pki/inspect.ts'
import { ipBytes } from '../../../src/pki/ip.ts'

const signer = (pair: KeyPair) => ({ certificate: pair.certificate, key: createPrivateKey(pair.key) })
const now = new Date()

describe.each<KeyType>(['ecdsa-p256', 'rsa-2048'])('%s', keyType => {
  const authority = createAuthority('anp member1', { days: 3650 }, keyType)
  const leaf = issue(
    signer(authority),
    {
      commonName: 'server',
      organization: 'karmada-net',
      usages: ['server', 'client'],
      names: ['gateway.example.com', '10.0.0.9', 'fd00::1'],
      days: 365,
    },
    keyType,
  )

  test('openssl accepts the chain under its strict rules', () => {
    const dir = mkdtempSync(join(tmpdir(), 'pki-'))
    writeFileSync(join(dir, 'ca.crt'), authority.certificate)
    writeFileSync(join(dir, 'leaf.crt'), leaf.certificate)
    const verify = (...more: string[]) =>
      execFileSync('openssl', [
        'verify',
        '-x509_strict',
        '-CAfile',
        join(dir, 'ca.crt'),
        ...more,
        join(dir, 'leaf.crt'),
      ]).toString()
    expect(verify('-purpose', 'sslserver', '-verify_ip', '10.0.0.9')).toContain('OK')
    expect(verify('-purpose', 'sslclient', '-verify_hostname', 'gateway.example.com')).toContain('OK')
    expect(() => verify('-verify_hostname', 'other.example.com')).toThrow()
    rmSync(dir, { recursive: true })
  })

  test('names, key and issuer are what was asked for', () => {
    const certificate = new X509Certificate(leaf.certificate)
    expect(certificate.subject).toBe('O=karmada-net\nCN=server')
    expect(certificate.subjectAltName).toBe(
      'DNS:gateway.example.com, IP Address:10.0.0.9, IP Address:FD00:0:0:0:0:0:0:1',
    )
    expect(certificate.ca).toBe(false)
    expect(new X509Certificate(authority.certificate).ca).toBe(true)
    expect(daysLeft(leaf.certificate, new Date(expiry(leaf.certificate).getTime() - 364.5 * 24 * 3600_000))).toBe(364)
  })
})

describe('a leaf is replaced when it', () => {
  const authority = createAuthority('one', { days: 3650 })
  const leaf = issue(signer(authority), { commonName: 'x', usages: ['server'], names: ['10.0.0.9'], days: 20 })
  const foreign = issue(signer(createAuthority('one', { days: 3650 })), {
    commonName: 'x',
    usages: ['server'],
    days: 20,
  })
  const need = { authority: authority.certificate, names: ['10.0.0.9'], minDaysLeft: 7, now }

  test.each([
    ['fits', leaf, need, undefined],
    ['ends soon', leaf, { ...need, minDaysLeft: 30 }, /^ends on /],
    ['is for another address', leaf, { ...need, names: ['10.0.0.10'] }, /^is not for 10.0.0.10$/],
    ['comes from another authority of the same name', foreign, need, /^signed by another authority$/],
    ['has another key', { ...leaf, key: foreign.key }, need, /^the key does not fit/],
    ['is damaged', { ...leaf, certificate: 'x' }, need, /^unreadable$/],
  ])('%s', (_, pair, needed, reason) => {
    const why = whyReplace(pair, needed)
    if (reason) expect(why).toMatch(reason)
    else expect(why).toBeUndefined()
  })
})

test.each([
  ['10.0.0.9', '0a000009'],
  ['::1', '00000000000000000000000000000001'],
  ['fd00:1::2:3', 'fd000001000000000000000000020003'],
  ['::ffff:10.0.0.9', '00000000000000000000ffff0a000009'],
])('bytes of %s', (address, hex) => expect(ipBytes(address).toString('hex')).toBe(hex))
