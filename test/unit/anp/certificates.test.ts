import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ensureCertificates, firstExpiry } from '../../../src/anp/certificates.ts'

const now = new Date('2026-11-21T00:00:00Z')
const days = (count: number) => new Date(now.getTime() + count * 24 * 3600_000)
const ensure = (existing: Parameters<typeof ensureCertificates>[2], at = now, host = '10.0.0.9') =>
  ensureCertificates('member1', host, existing, at)

const first = ensure({})

describe('keys of a tunnel', () => {
  test('are three pairs at first', () => {
    expect(first.made).toEqual(['authority (new)', 'server (new)', 'agent (new)'])
    const { server, agent } = first.certificates
    expect(new X509Certificate(server.certificate).checkIP('10.0.0.9')).toBe('10.0.0.9')
    expect(new X509Certificate(agent.certificate).subject).toBe('CN=anp-agent member1')
    expect(firstExpiry(first.certificates).toISOString()).toBe('2027-11-21T00:00:00.000Z')
  })

  test.each([
    ['stay while they last', first.certificates, days(300), '10.0.0.9', []],
    [
      'are renewed in their last month',
      first.certificates,
      days(340),
      '10.0.0.9',
      [/^server \(ends on/, /^agent \(ends on/],
    ],
    ['name the gateway', first.certificates, now, 'gw.example.com', [/^server \(is not for gw.example.com\)$/]],
    [
      'go with their authority',
      { ...first.certificates, authority: ensure({}).certificates.authority },
      now,
      '10.0.0.9',
      [/^server \(signed by another/, /^agent \(signed by another/],
    ],
    [
      'are made where they are missing',
      { authority: first.certificates.authority },
      now,
      '10.0.0.9',
      [/^server \(new\)$/, /^agent \(new\)$/],
    ],
  ])('%s', (_, existing, at, host, made) => {
    expect(ensure(existing, at, host).made).toEqual(made.map(line => expect.stringMatching(line)))
  })

  test('that stay are the same to the byte', () => {
    expect(ensure(first.certificates).certificates).toEqual(first.certificates)
  })
})
