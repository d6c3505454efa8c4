import { X509Certificate } from 'node:crypto'
import { certificatesIn } from '../pki/pem.ts'

/** SHA-256 of each certificate in base64 of PEM, as kubeconfigs, Secrets and caBundles carry it. What is no certificate counts not. */
export function fingerprintsOf(base64: string): string[] {
  const text = Buffer.from(base64, 'base64').toString('latin1')
  return certificatesIn(text).flatMap(block => {
    try {
      return [new X509Certificate(block).fingerprint256]
    } catch {
      return []
    }
  })
}
