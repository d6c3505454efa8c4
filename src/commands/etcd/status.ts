import { defineCommand } from '../../cli/command.ts'
import { outputFlags } from '../../cli/flags.ts'
import type { Column } from '../../cli/table.ts'
import type { StatusRow } from '../../etcd/status.ts'
import { etcdFlags, openEtcd } from './shared.ts'

export const etcdStatus = defineCommand({
  name: 'etcd status',
  summary: 'Show the members of an etcd cluster, and what is wrong with them',
  description: `One line for each member, and above them, on stderr, whether the cluster takes writes. DB is the size of its file and the
quota; LAG counts entries of the log that it has not applied yet; LATENCY is one answer from here; CERT the days that its server
certificate, as its port shows it, is still valid. A member that does not answer has the reason in its line.

The exit code is 0 whatever is found: "etcd verify" is for scripts that want to know.`,
  examples: [
    ['The only cluster there is', 'etcd status'],
    ['With sizes, ids and all that is wrong', 'etcd status -o wide'],
    ['For programs', 'etcd status --etcd karmada -o json'],
  ],
  flags: { ...etcdFlags, ...outputFlags },
  async run({ flags, session }) {
    const { readStatus } = await import('../../etcd/observe.ts')
    const { formatBytes, formatShare } = await import('../../etcd/bytes.ts')
    const { print } = await import('../../cli/print.ts')
    const status = await readStatus(await openEtcd(flags, session))
    const bytes = (value: number | undefined) => (value === undefined ? undefined : formatBytes(value))
    const columns: Column<StatusRow>[] = [
      { header: 'MEMBER', value: row => row.member },
      { header: 'ID', value: row => row.id, wide: true },
      { header: 'ADDRESS', value: row => row.address, wide: true },
      { header: 'SITE', value: row => row.site, wide: true },
      { header: 'ROLE', value: row => row.role },
      { header: 'VERSION', value: row => row.version },
      {
        header: 'DB',
        value: ({ dbSize, dbSizeQuota }) =>
          dbSize === undefined ? undefined : formatShare(dbSize, dbSizeQuota ?? dbSize),
      },
      { header: 'IN USE', value: row => bytes(row.dbSizeInUse), wide: true },
      { header: 'TERM', value: row => row.raftTerm, wide: true },
      { header: 'INDEX', value: row => row.raftIndex, wide: true },
      { header: 'LAG', value: row => row.raftLag },
      { header: 'LATENCY', value: ({ latencyMs }) => (latencyMs === undefined ? undefined : `${latencyMs}ms`) },
      { header: 'CERT', value: ({ certificate }) => certificate && `${certificate.daysLeft}d` },
      { header: 'NOTE', value: row => noteOf(row, flags.output === 'wide') },
    ]
    if (!flags.output || flags.output === 'wide') session.say(`${status.summary}\n`)
    await print<StatusRow>(
      session,
      {
        columns,
        rows: status.members,
        data: () => {
          const { members, ...rest } = status
          return { ...rest, items: members }
        },
        name: row => `etcdmember/${row.member}`,
      },
      flags.output,
    )
    if (status.hint !== undefined && (!flags.output || flags.output === 'wide')) session.hint(status.hint)
  },
})

/** The worst alone, where space is short. */
function noteOf({ notes, error }: StatusRow, wide: boolean): string {
  return (wide ? [...notes, ...(error === undefined ? [] : [error])].join('; ') : notes[0]) ?? ''
}
