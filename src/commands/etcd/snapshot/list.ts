import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { outputFlags } from '../../../cli/flags.ts'
import { UserError } from '../../../errors.ts'
import type { ListedSnapshot } from '../../../etcd/snapshot/list.ts'
import type { EtcdWorld } from '../../../etcd/world.ts'
import { etcdFlags, openEtcd } from '../shared.ts'

export const etcdSnapshotList = defineCommand({
  name: 'etcd snapshot list',
  summary: 'List the snapshots of a folder',
  description: `Newest first. What can be told from a file's size and its first pages is in the NOTE; --check reads all of every file and
compares its checksum as well. Without FOLDER, the one that the cluster's inventory names for its backups.`,
  examples: [
    ['What is there', 'etcd snapshot list /backup'],
    ['Can all of them be restored?', 'etcd snapshot list /backup --check'],
  ],
  args: { folder: arg.one('FOLDER') },
  flags: { ...etcdFlags, ...outputFlags, check: flag.boolean('Read every file and compare its checksum') },
  async run({ folder, flags, session }) {
    const { listSnapshots } = await import('../../../etcd/snapshot/list.ts')
    const { formatBytes } = await import('../../../etcd/bytes.ts')
    const { print } = await import('../../../cli/print.ts')
    const { snapshotData } = await import('./data.ts')
    const directory = folder ?? (await folderOf(await openEtcd(flags, session)))
    if (directory === undefined) {
      throw new UserError('FOLDER is missing: the inventory of this cluster names none for backups', {
        hint: 'kubectl karmada-net etcd snapshot list /backup',
      })
    }
    const rows = await listSnapshots(directory, { checksum: flags.check, signal: session.signal })
    await print<ListedSnapshot>(
      session,
      {
        columns: [
          { header: 'FILE', value: row => row.file },
          { header: 'CLUSTER', value: row => row.cluster },
          { header: 'REVISION', value: row => row.revision?.toString() },
          { header: 'TAKEN', value: row => row.takenAt.toISOString().replace(/\.\d+/, '') },
          { header: 'SIZE', value: row => formatBytes(row.sizeBytes) },
          { header: 'VERSION', value: row => row.version, wide: true },
          { header: 'MEMBERS', value: row => row.members?.map(({ name }) => name).join(','), wide: true },
          { header: 'SHA-256', value: row => row.sha256, wide: true },
          { header: 'NOTE', value: row => row.why || (row.condition === 'good' ? 'checksum fits' : '') },
        ],
        rows,
        data: () => ({ items: rows.map(({ file, cluster, ...facts }) => ({ file, cluster, ...snapshotData(facts) })) }),
        name: row => `snapshot/${row.file}`,
        empty: `No snapshots in ${directory}`,
      },
      flags.output,
    )
  },
})

/** Of backups on a schedule. Throws UserError for those that do not lie on this machine. */
async function folderOf(world: EtcdWorld): Promise<string | undefined> {
  const { backupWheres } = await import('../../../etcd/backup/schedule-steps.ts')
  const wheres = backupWheres(world)
  if (wheres.length === 0) return world.state.spec.backup?.directory
  throw new UserError(`backups of ${world.state.spec.name} lie beside its members:\n${wheres.join('\n')}`, {
    hint: `copy one from there (scp, kubectl cp), then: kubectl karmada-net etcd snapshot status FILE`,
  })
}
