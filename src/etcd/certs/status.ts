import { X509Certificate } from 'node:crypto'
import { namesOf } from '../certificates.ts'
import { type Judgement, judge } from './judge.ts'
import { type CertificatesView, leafRoles, type MemberCertificates, parsed, type Role } from './look.ts'

/** One certificate, as `etcd certs status` shows it. */
export interface CertificateRow extends Partial<Omit<Judgement, 'wrong' | 'due'>> {
  /** `authority`, `m1 server`, `m1 peer`, `client admin`. */
  certificate: string
  kind: 'authority' | 'server' | 'peer' | 'client'
  member?: string | undefined
  /** What is on the wire against what was delivered; undefined: it is not served. */
  served?: 'as delivered' | 'another' | 'no answer' | undefined
  /** `wrong`: it does not do its work; `due`: not for long. */
  state: 'ok' | 'due' | 'wrong'
  /** What is wrong or due, in words. */
  notes: string[]
}

/** A row for each certificate there is. Pure. */
export function certificateRows(view: CertificatesView, now: Date): CertificateRow[] {
  return [
    ...view.signers.map(({ name, certificate }) => authorityRow(name, certificate, now)),
    ...view.members.flatMap(member => leafRoles.map(role => leafRow(view, member, role, now))),
    ...view.clients.map(({ consumer, certificate }) => clientRow(view, consumer, certificate, now)),
  ]
}

function authorityRow(name: string, text: string, now: Date): CertificateRow {
  const certificate = parsed(text)
  const row = { certificate: name, kind: 'authority' } as const
  if (!certificate) return { ...row, state: 'wrong', notes: ['unreadable'] }
  const judgement = judge(certificate, { signers: [{ name: 'itself', certificate: text }], now })
  return { ...row, ...shown(judgement) }
}

/** What is served counts; what was delivered where nothing answers. */
function leafRow(
  view: CertificatesView,
  { member, found, served }: MemberCertificates,
  role: Role,
  now: Date,
): CertificateRow {
  const onWire = served[role]
  const delivered = parsed(found.delivered?.[`${role}.pem`])
  const certificate = onWire instanceof X509Certificate ? onWire : delivered
  const row = { certificate: `${member.name} ${role}`, kind: role, member: member.name } as const
  const silent = onWire instanceof Error ? [onWire.message] : []
  if (!certificate) return { ...row, served: 'no answer', state: 'wrong', notes: silent }
  const need = { signers: view.signers, names: namesOf(member), gateway: role === 'server', now }
  const judged = shown(judge(certificate, need))
  if (silent.length > 0) return { ...row, ...judged, served: 'no answer', notes: [...silent, ...judged.notes] }
  const same = delivered === undefined || delivered.fingerprint256 === certificate.fingerprint256
  if (same) return { ...row, ...judged, served: 'as delivered' }
  return {
    ...row,
    ...judged,
    served: 'another',
    state: 'wrong',
    notes: ['not the one that was delivered', ...judged.notes],
  }
}

function clientRow(
  { signers }: CertificatesView,
  consumer: string,
  certificate: X509Certificate | undefined,
  now: Date,
): CertificateRow {
  const row = { certificate: `client ${consumer}`, kind: 'client' } as const
  if (!certificate) return { ...row, state: 'due', notes: ['not issued yet'] }
  return { ...row, ...shown(judge(certificate, { signers, now })) }
}

function shown({ wrong, due, ...judgement }: Judgement): Omit<CertificateRow, 'certificate' | 'kind'> {
  const state = wrong.length > 0 ? 'wrong' : due === undefined ? 'ok' : 'due'
  return { ...judgement, state, notes: [...wrong, ...(due === undefined ? [] : [due])] }
}
