import { createPrivateKey, X509Certificate } from 'node:crypto'
import { UserError } from '../../errors.ts'
import type { KeyPair } from '../../pki/certificate.ts'
import { renewBeforeDays } from '../certificates.ts'
import { commonName, judge, parseBundle, type Signers, signed } from './judge.ts'
import { type CertificatesView, leafRoles, type MemberCertificates } from './look.ts'

/**
 * Throws UserError where the store's authority is not the one that the members run with: what it issued they would refuse, all at
 * once. Pure.
 */
export function requireOwnAuthority({ signers, members }: CertificatesView, where: string): void {
  const foreign = members.flatMap(each => {
    const signer = foreignSigner(each, signers)
    return signer === undefined ? [] : [{ name: each.member.name, signer }]
  })
  const [first] = foreign
  if (!first) return
  const names = foreign.map(({ name }) => name).join(', ')
  const ours = signers.map(({ certificate }) => fingerprintOf(certificate)).join(', ')
  throw new UserError(
    `${names}: the certificates were signed by ${first.signer}, not by the authority in ${where} (${ours})`,
    { hint: 'this is the state of another cluster, or of an earlier life of this one: nothing was changed' },
  )
}

/** What was delivered tells whom a member trusts; without that what it serves does. */
function foreignSigner({ found, served }: MemberCertificates, signers: Signers): string | undefined {
  const isOurs = (certificate: X509Certificate) =>
    signers.some(({ certificate: text }) => fingerprintOf(text) === certificate.fingerprint256)
  if (found.delivered) {
    const trusted = readable(() => parseBundle(found.delivered?.['ca.crt'] ?? ''))
    return trusted.length > 0 && !trusted.some(isOurs) ? commonName(trusted[0]?.subject ?? '') : undefined
  }
  const leaves = leafRoles.map(role => served[role]).filter(leaf => leaf instanceof X509Certificate)
  const foreign = leaves.find(leaf => !signers.some(({ certificate }) => signed(leaf, certificate)))
  return foreign && commonName(foreign.issuer)
}

/**
 * Before the authority is changed every leaf must do its work: restarts would end the connections that still hold with one that does
 * not. Throws UserError naming them. Pure.
 */
export function requireWorkingLeaves({ signers, members }: CertificatesView, now: Date): void {
  const wrong = members.flatMap(({ member, served }) =>
    leafRoles.flatMap(role => {
      const leaf = served[role]
      if (leaf instanceof Error) return [`${member.name} ${role}: ${leaf.message}`]
      return judge(leaf, { signers, now }).wrong.map(problem => `${member.name} ${role}: ${problem}`)
    }),
  )
  if (wrong.length === 0) return
  throw new UserError(wrong.join('\n'), {
    hint: 'kubectl karmada-net etcd certs rotate makes new ones first, without a restart',
  })
}

/** An authority of the user's own. Throws UserError naming what keeps it from signing for etcd. Pure. */
export function requireUsable(given: KeyPair, now: Date): void {
  const why = whyUnusable(given, now)
  if (why !== undefined) throw new UserError(`this certificate authority cannot be used: ${why}`)
}

function whyUnusable({ certificate: text, key }: KeyPair, now: Date): string | undefined {
  const [certificate, ...more] = readable(() => parseBundle(text))
  if (!certificate) return 'it is no certificate'
  if (more.length > 0) return 'the file has several certificates; give the one that signs'
  if (!certificate.ca) return `${commonName(certificate.subject)} is not an authority (basicConstraints)`
  if (!signed(certificate, text)) {
    // OpenSSL's clients want the chain up to a root that they are given; Go's do not.
    return `it was signed by ${commonName(certificate.issuer)}; only a root is trusted by all clients`
  }
  if (!fits(certificate, key)) return 'the key does not fit the certificate'
  const days = Math.floor((certificate.validToDate.getTime() - now.getTime()) / 86_400_000)
  if (days < renewBeforeDays) return `it ends on ${certificate.validToDate.toISOString().slice(0, 10)}`
  return certificate.validFromDate > now
    ? `it is not valid before ${certificate.validFromDate.toISOString()}`
    : undefined
}

function fits(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

const readable = (read: () => X509Certificate[]): X509Certificate[] => {
  try {
    return read()
  } catch {
    return []
  }
}

/** Undefined for what is no certificate. */
export const fingerprintOf = (text: string): string | undefined =>
  readable(() => [new X509Certificate(text)])[0]?.fingerprint256
