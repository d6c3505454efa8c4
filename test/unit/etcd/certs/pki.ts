import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type CertificatesView, leafRoles, type MemberCertificates } from '../../../../src/etcd/certs/look.ts'
import { createAuthority, issue, type KeyPair, type Usage } from '../../../../src/pki/certificate.ts'
import { memberSpec } from '../spec.ts'

export const now = new Date('2026-11-21T00:00:00Z')
export const later = (days: number) => new Date(now.getTime() + days * 86_400_000)

export const ours = createAuthority('karmada-net etcd karmada', { days: 3650, now })
export const next = createAuthority('karmada-net etcd karmada 2026-11-21', { days: 3650, now })
export const foreign = createAuthority('Example Corp', { days: 3650, now })

interface Leaf {
  by?: KeyPair
  names?: string[]
  days?: number
  from?: Date
  usages?: Usage[]
}

export function leaf({
  by = ours,
  names = ['10.0.0.1'],
  days = 365,
  from = now,
  usages = ['server', 'client'],
}: Leaf = {}) {
  const signer = { certificate: by.certificate, key: createPrivateKey(by.key) }
  const { certificate } = issue(signer, { commonName: 'leaf', usages, names, days, now: from })
  return new X509Certificate(certificate)
}

/** `m1` at 10.0.0.1, serving what was delivered to it. */
export function memberCertificates(name = 'm1', over: Leaf & { trusts?: string } = {}): MemberCertificates {
  const member = memberSpec(name)
  const [server, peer] = leafRoles.map(() => leaf({ names: [member.address], ...over }))
  if (!server || !peer) throw new Error('no leaf')
  const delivered = {
    'ca.crt': over.trusts ?? (over.by ?? ours).certificate,
    'server.pem': server.toString(),
    'peer.pem': peer.toString(),
  }
  return { member, found: { state: 'running', delivered }, served: { server, peer } }
}

export const viewOf = (over: Partial<CertificatesView> = {}): CertificatesView => ({
  signers: [{ name: 'authority', certificate: ours.certificate }],
  members: ['m1', 'm2', 'm3'].map(name => memberCertificates(name)),
  clients: [{ consumer: 'admin', certificate: leaf({ names: [], usages: ['client'] }) }],
  ...over,
})
