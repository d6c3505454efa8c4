import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { daysLeft } from '../../pki/inspect.ts'
import { certificatesIn } from '../../pki/pem.ts'
import { renewBeforeDays } from '../certificates.ts'

/** Authorities that count here, by what people call them: `authority`, `new authority`. */
export type Signers = readonly { name: string; certificate: string }[]

export interface Judgement {
  subject: string
  /** What the issuer calls itself. */
  issuer: string
  /** Who of the cluster's authorities signed it; undefined: a foreign one. */
  signedBy?: string | undefined
  /** ISO 8601. */
  notAfter: string
  daysLeft: number
  serial: string
  /** SHA-256, as `openssl x509 -fingerprint -sha256`. */
  fingerprint: string
  /** DNS names and addresses it is for. */
  names: string[]
  /** It does not do its work: expired, foreign, not for this address. */
  wrong: string[]
  /** It will not for long. */
  due?: string | undefined
}

const clientAuth = '1.3.6.1.5.5.7.3.2'

/** Looks at one leaf. `names`: what it must be for; `gateway`: it is a server's that etcd's JSON gateway dials etcd with. Pure. */
export function judge(
  certificate: X509Certificate,
  need: { signers: Signers; names?: readonly string[]; gateway?: boolean; now: Date },
): Judgement {
  const signedBy = need.signers.find(({ certificate: text }) => signed(certificate, text))?.name
  const left = daysLeft(certificate.toString(), need.now)
  const names = namesIn(certificate)
  const wrong = [
    signedBy === undefined ? `signed by ${commonName(certificate.issuer)}, not by this cluster's authority` : undefined,
    validity(certificate, need.now),
    ...(need.names === undefined ? [] : [coverage(certificate, names, need.names)]),
    need.gateway && !certificate.keyUsage?.includes(clientAuth)
      ? 'not for clientAuth, so that etcd answers no call with it'
      : undefined,
  ].filter(problem => problem !== undefined)
  const ends = certificate.validToDate.toISOString().slice(0, 10)
  return {
    subject: commonName(certificate.subject),
    issuer: commonName(certificate.issuer),
    signedBy,
    notAfter: certificate.validToDate.toISOString(),
    daysLeft: left,
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    names,
    wrong,
    due: left >= 0 && left < renewBeforeDays ? `ends on ${ends}` : undefined,
  }
}

/** The authority's key made its signature; names alone can be equal by chance. */
export function signed(certificate: X509Certificate, authority: string): boolean {
  try {
    const issuer = new X509Certificate(authority)
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}

function validity({ validFromDate, validToDate }: X509Certificate, now: Date): string | undefined {
  const day = (date: Date) => date.toISOString().slice(0, 10)
  if (validToDate < now) return `expired on ${day(validToDate)}`
  if (validFromDate > now) return `not valid before ${validFromDate.toISOString()}`
  return undefined
}

function coverage(certificate: X509Certificate, names: string[], wanted: readonly string[]): string | undefined {
  // etcd lets such a peer in from anywhere, and every client refuses it.
  if (names.length === 0) return 'names no address at all'
  const missing = wanted.filter(
    name => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) === undefined,
  )
  return missing.length > 0 ? `not for ${missing.join(', ')}` : undefined
}

/** Of the subjectAltName: `DNS:m1, IP Address:10.0.0.1`. */
const namesIn = ({ subjectAltName = '' }: X509Certificate): string[] =>
  subjectAltName
    .split(', ')
    .map(part => part.replace(/^(DNS|IP Address):/, ''))
    .filter(Boolean)

/** `CN` of Node's lines, else all of them. */
export const commonName = (lines: string): string =>
  /^CN=(.*)$/m.exec(lines)?.[1] ?? (lines.replaceAll('\n', ', ') || 'nobody')

/** Certificates in a file of several. Throws when one of them is damaged. */
export const parseBundle = (text: string): X509Certificate[] =>
  certificatesIn(text).map(pem => new X509Certificate(pem))
