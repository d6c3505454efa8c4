import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import {
  bits,
  boolean,
  type Der,
  decode,
  encode,
  integer,
  octets,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'
import { ipBytes } from './ip.ts'

/** A certificate and its private key, as PEM text. */
export interface KeyPair {
  certificate: string
  /** PKCS #8. Secret: never printed, never in argv. */
  key: string
}

export type Usage = 'server' | 'client'
export type KeyType = 'ecdsa-p256' | 'rsa-2048'

interface Validity {
  /** Days from `now`. */
  days: number
  now?: Date
}

const signatures = { ec: '1.2.840.10045.4.3.2', rsa: '1.2.840.113549.1.1.11' }
const usages: Record<Usage, string> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** A self-signed certificate authority that signs leaves only (path length 0). */
export function createAuthority(commonName: string, validity: Validity, keyType: KeyType = 'ecdsa-p256'): KeyPair {
  const { publicKey, privateKey } = generateKey(keyType)
  const extensions = [
    extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.from([0])))),
    extension('2.5.29.15', true, bits(Buffer.from([0b0000_0110]), 1)), // keyCertSign, cRLSign
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
    extension('2.5.29.35', false, sequence(tagged(0, keyIdentifier(publicKey)))),
  ]
  const name = distinguishedName(commonName)
  const certificate = signed({ issuer: name, subject: name, publicKey, signer: privateKey, validity, extensions })
  return { certificate, key: pem(privateKey) }
}

/**
 * A leaf signed by `authority`. `names` are DNS names and IP addresses (subjectAltName); `organization` becomes O.
 * Throws when the authority's key does not fit its certificate.
 */
export function issue(
  authority: { certificate: string; key: KeyObject },
  leaf: { commonName: string; organization?: string; usages: Usage[]; names?: string[] } & Validity,
  keyType: KeyType = 'ecdsa-p256',
): KeyPair {
  const issuer = new X509Certificate(authority.certificate)
  if (!issuer.checkPrivateKey(authority.key))
    throw new Error('the key of the certificate authority does not fit its certificate')
  const { publicKey, privateKey } = generateKey(keyType)
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bits(Buffer.from([keyType === 'rsa-2048' ? 0b1010_0000 : 0b1000_0000]), 5)),
    extension('2.5.29.37', false, sequence(...leaf.usages.map(usage => oid(usages[usage])))),
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
    extension('2.5.29.35', false, sequence(tagged(0, keyIdentifier(issuer.publicKey)))),
  ]
  if (leaf.names?.length) extensions.push(extension('2.5.29.17', false, sequence(...leaf.names.map(alternativeName))))
  const certificate = signed({
    issuer: subjectOf(issuer),
    subject: distinguishedName(leaf.commonName, leaf.organization),
    publicKey,
    signer: authority.key,
    validity: leaf,
    extensions,
  })
  return { certificate, key: pem(privateKey) }
}

interface Content {
  issuer: Der
  subject: Der
  publicKey: KeyObject
  signer: KeyObject
  validity: Validity
  extensions: Der[]
}

function signed({ issuer, subject, publicKey, signer, validity, extensions }: Content): string {
  const now = validity.now ?? new Date()
  // Backdated: the members' clocks are not ours.
  const from = new Date(now.getTime() - 5 * minuteMs)
  const until = new Date(now.getTime() + validity.days * dayMs)
  const algorithm =
    signer.asymmetricKeyType === 'rsa'
      ? sequence(oid(signatures.rsa), decode(Buffer.from([5, 0])))
      : sequence(oid(signatures.ec))
  const content = sequence(
    tagged(0, [integer(Buffer.from([2]))]), // v3
    integer(serialNumber()),
    algorithm,
    issuer,
    sequence(time(from), time(until)),
    subject,
    decode(publicKey.export({ type: 'spki', format: 'der' })),
    tagged(3, [sequence(...extensions)]),
  )
  const signature = sign('sha256', encode(content), signer)
  return toPem('CERTIFICATE', encode(sequence(content, algorithm, bits(signature))))
}

function generateKey(keyType: KeyType): { publicKey: KeyObject; privateKey: KeyObject } {
  return keyType === 'rsa-2048'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

const extension = (id: string, critical: boolean, value: Der): Der =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(encode(value)))

const alternativeName = (name: string): Der =>
  isIP(name) ? tagged(7, ipBytes(name)) : tagged(2, Buffer.from(name, 'ascii'))

const distinguishedName = (commonName: string, organization?: string): Der =>
  sequence(
    ...(organization ? [set(sequence(oid('2.5.4.10'), utf8(organization)))] : []),
    set(sequence(oid('2.5.4.3'), utf8(commonName))),
  )

/** The issuer's subject as it stands in its certificate: rebuilt from text it might not compare equal. */
function subjectOf(certificate: X509Certificate): Der {
  const content = child(decode(certificate.raw), 0)
  const hasVersion = isTagged(child(content, 0), 0)
  return child(content, hasVersion ? 5 : 4)
}

const isTagged = (value: Der, tag: number): boolean => value.tagClass === 0x80 && value.type === tag

function child(value: Der, index: number): Der {
  const found = Array.isArray(value.value) ? value.value[index] : undefined
  if (!found) throw new Error('not an X.509 certificate')
  return found
}

/** RFC 5280 4.2.1.2 (1): SHA-1 of the subjectPublicKey's bits; an identifier, not a protection. */
function keyIdentifier(key: KeyObject): Buffer {
  const info = decode(key.export({ type: 'spki', format: 'der' }))
  const value = child(info, 1)
  const content = encode(value)
  const headerLength = (content[1] ?? 0) < 0x80 ? 2 : 2 + ((content[1] ?? 0) & 0x7f)
  return createHash('sha1')
    .update(content.subarray(headerLength + 1))
    .digest()
}

/** 127 random bits, positive. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const toPem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`
