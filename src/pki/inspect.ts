import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { KeyPair } from './certificate.ts'

const dayMs = 24 * 60 * 60_000

/** The end of a PEM certificate's validity. Throws when the text is no certificate. */
export const expiry = (certificate: string): Date => new X509Certificate(certificate).validToDate

/** Whole days until the certificate ends; negative once it has. */
export const daysLeft = (certificate: string, now: Date): number =>
  Math.floor((expiry(certificate).getTime() - now.getTime()) / dayMs)

/**
 * Why a leaf cannot go on being used, as far as it is at hand (its key may be elsewhere): damaged, from another authority, too near its end, or not for these names.
 * Undefined when it can.
 */
export function whyReplace(
  leaf: Pick<KeyPair, 'certificate'> & Partial<KeyPair>,
  need: { authority: string; names?: string[]; minDaysLeft: number; now: Date },
): string | undefined {
  const certificate = parse(leaf.certificate)
  const authority = parse(need.authority)
  if (!certificate || !authority) return 'unreadable'
  if (leaf.key !== undefined && !fits(leaf.key, certificate)) return 'the key does not fit the certificate'
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
    return 'signed by another authority'
  if (daysLeft(leaf.certificate, need.now) < need.minDaysLeft)
    return `ends on ${certificate.validToDate.toISOString().slice(0, 10)}`
  const missing = (need.names ?? []).find(name => !covers(certificate, name))
  return missing && `is not for ${missing}`
}

const covers = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined

function parse(certificate: string): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate)
  } catch {
    return undefined
  }
}

function fits(key: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}
