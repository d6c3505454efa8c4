import { X509Certificate } from 'node:crypto'

const pem = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** SHA-256 of each certificate in base64 of PEM, as kubeconfigs, Secrets and caBundles carry it. What is no certificate counts not. */
export function fingerprintsOf(base64: string): string[] {
  const text = Buffer.from(base64, 'base64').toString('latin1')
  return (text.match(pem) ?? []).flatMap(block => {
    try {
      return [new X509Certificate(block).fingerprint256]
    } catch {
      return []
    }
  })
}
