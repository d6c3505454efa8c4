import type { asn1 as Asn1 } from 'node-forge'
import asn1 from 'node-forge/lib/asn1.js'

/** DER values as X.509 needs them, on forge's encoder. */
export type Der = Asn1.Asn1

const { Class, Type } = asn1

export const sequence = (...items: Der[]): Der => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items)
export const set = (...items: Der[]): Der => asn1.create(Class.UNIVERSAL, Type.SET, true, items)
export const oid = (dotted: string): Der =>
  asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes())
export const integer = (bytes: Buffer): Der => asn1.create(Class.UNIVERSAL, Type.INTEGER, false, binary(bytes))
export const utf8 = (text: string): Der =>
  asn1.create(Class.UNIVERSAL, Type.UTF8, false, binary(Buffer.from(text, 'utf8')))
export const boolean = (value: boolean): Der =>
  asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? '\xff' : '\x00')
export const octets = (content: Buffer): Der => asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, binary(content))
export const bits = (content: Buffer, unused = 0): Der =>
  asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unused) + binary(content))

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
export const time = (date: Date): Der =>
  date.getUTCFullYear() < 2050
    ? asn1.create(Class.UNIVERSAL, Type.UTCTIME, false, asn1.dateToUtcTime(date))
    : asn1.create(Class.UNIVERSAL, Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date))

/** A context-specific tag: constructed around values, or primitive with bytes. */
export const tagged = (tag: number, content: Der[] | Buffer): Der =>
  Array.isArray(content)
    ? asn1.create(Class.CONTEXT_SPECIFIC, tag, true, content)
    : asn1.create(Class.CONTEXT_SPECIFIC, tag, false, binary(content))

export const encode = (value: Der): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1')
export const decode = (der: Buffer): Der => asn1.fromDer(binary(der))

/** forge keeps bytes in strings, one character each. */
const binary = (bytes: Buffer): string => bytes.toString('latin1')
