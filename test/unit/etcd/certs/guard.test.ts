import { describe, expect, test } from 'vitest'
import { requireOwnAuthority, requireUsable, requireWorkingLeaves } from '../../../../src/etcd/certs/guard.ts'
import { createAuthority } from '../../../../src/pki/certificate.ts'
import { foreign, later, leaf, memberCertificates, next, now, ours, viewOf } from './pki.ts'

const silent = new Error('https://10.0.0.2:2379: connection refused')

describe('the store’s authority is that of the members', () => {
  test.each([
    ['all trust it', viewOf()],
    [
      'some trust the next one as well',
      viewOf({ members: [memberCertificates('m1', { trusts: ours.certificate + next.certificate })] }),
    ],
    [
      'one that cannot be looked into serves its certificate',
      viewOf({ members: [{ ...memberCertificates('m1'), found: { state: 'running' } }] }),
    ],
    [
      'one shows a certificate put there by hand, and trusts ours',
      viewOf({ members: [memberCertificates('m1', { by: foreign, trusts: ours.certificate })] }),
    ],
    [
      'one that nobody can look into is silent',
      viewOf({
        members: [
          { ...memberCertificates('m2'), found: { state: 'absent' }, served: { server: silent, peer: silent } },
        ],
      }),
    ],
  ])('%s', (_, view) => {
    expect(() => requireOwnAuthority(view, 'memory')).not.toThrow()
  })

  test.each([
    [
      'they trust another',
      memberCertificates('m2', { by: foreign }),
      'm2: the certificates were signed by Example Corp, not by the authority in memory (',
    ],
    [
      'they serve one of another',
      { ...memberCertificates('m2', { by: foreign }), found: { state: 'running' as const } },
      'm2: the certificates were signed by Example Corp',
    ],
  ])('refused: %s', (_, member, message) => {
    expect(() => requireOwnAuthority(viewOf({ members: [memberCertificates('m1'), member] }), 'memory')).toThrow(
      message,
    )
  })
})

describe('before a change every certificate does its work', () => {
  test.each([
    [
      'expired',
      memberCertificates('m1', { days: 5 }),
      'm1 server: expired on 2026-11-26\nm1 peer: expired on 2026-11-26',
    ],
    [
      'silent',
      { ...memberCertificates('m2'), served: { server: silent, peer: leaf() } },
      'm2 server: https://10.0.0.2:2379: connection refused',
    ],
    ['foreign', memberCertificates('m3', { by: foreign }), 'm3 server: signed by Example Corp'],
  ])('%s', (_, member, message) => {
    expect(() => requireWorkingLeaves(viewOf({ members: [member] }), later(6))).toThrow(message)
  })
})

describe('an authority of one’s own', () => {
  const day = createAuthority('short', { days: 10, now })
  test.each([
    ['is taken', next, undefined],
    ['a leaf', { ...next, certificate: leaf().toString() }, 'leaf is not an authority'],
    ['the key of another', { ...next, key: ours.key }, 'the key does not fit'],
    ['no key', { ...next, key: 'nothing' }, 'the key does not fit'],
    ['no certificate', { ...next, certificate: 'nothing' }, 'it is no certificate'],
    ['a bundle', { ...next, certificate: next.certificate + ours.certificate }, 'several certificates'],
    ['near its end', day, 'it ends on 2026-12-01'],
  ])('%s', (_, given, why) => {
    const judge = () => requireUsable(given, now)
    if (why === undefined) expect(judge).not.toThrow()
    else expect(judge).toThrow(why)
  })
})
