import { defineCommand } from '../../../cli/command.ts'
import { outputFlags } from '../../../cli/flags.ts'
import { program } from '../../../cli/io.ts'
import type { CertificateRow } from '../../../etcd/certs/status.ts'
import { etcdFlags, openEtcd } from '../shared.ts'

const dash = (text: string | undefined) => text ?? '-'

export const etcdCertsStatus = defineCommand({
  name: 'etcd certs status',
  summary: 'Show every certificate: who signed it, how long it lasts, what is wrong with it',
  description: `The authority, both certificates of each member as its ports serve them, and the client certificates that were issued. SERVED
says whether a port shows what was delivered to its machine. Whether a consumer uses the certificate that it was issued cannot be
seen from here.`,
  examples: [
    ['Every certificate', 'etcd certs status'],
    ['With addresses, serial numbers and dates', 'etcd certs status -o wide'],
  ],
  flags: { ...etcdFlags, ...outputFlags },
  async run({ flags, session }) {
    const { certificateRows, lookAtCertificates } = await import('../../../etcd/certs/index.ts')
    const { print } = await import('../../../cli/print.ts')
    const world = await openEtcd(flags, session)
    const view = await lookAtCertificates(world)
    const rows = certificateRows(view, new Date(world.now()))
    await print<CertificateRow>(
      session,
      {
        columns: [
          { header: 'CERTIFICATE', value: row => row.certificate },
          { header: 'SIGNED BY', value: row => dash(row.signedBy ?? row.issuer) },
          { header: 'ENDS IN', value: row => dash(row.daysLeft === undefined ? undefined : `${row.daysLeft}d`) },
          { header: 'SERVED', value: row => dash(row.served) },
          { header: 'SUBJECT', value: row => dash(row.subject), wide: true },
          { header: 'FOR', value: row => dash(row.names?.join(',') || undefined), wide: true },
          { header: 'ENDS', value: row => dash(row.notAfter?.slice(0, 10)), wide: true },
          { header: 'SERIAL', value: row => dash(row.serial), wide: true },
          { header: 'NOTE', value: row => row.notes.join('; ') },
        ],
        rows,
        name: row => `certificate/${row.certificate.replace(' ', '-')}`,
      },
      flags.output,
    )
    if (flags.output === 'json' || flags.output === 'yaml' || flags.output === 'name') return
    if (view.rotation)
      session.hint(`a rotation was begun and goes on with: ${program} etcd certs rotate${flag(view.rotation)}`)
    else if (rows.some(({ kind, state }) => kind === 'authority' && state !== 'ok')) {
      session.hint(`${program} etcd certs rotate --ca`)
    } else if (rows.some(({ state }) => state !== 'ok')) session.hint(`${program} etcd certs rotate`)
  },
})

const flag = ({ kind }: { kind: 'authority' | 'leaves' }): string => (kind === 'authority' ? ' --ca' : '')
