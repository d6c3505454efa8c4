import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { outputFlag } from '../../../cli/flags.ts'
import { UserError } from '../../../errors.ts'
import type { SnapshotFacts } from '../../../etcd/snapshot/inspect.ts'

export const etcdSnapshotStatus = defineCommand({
  name: 'etcd snapshot status',
  summary: 'Tell whether a snapshot is whole, and what it is of',
  description: `Reads all of the file and compares its checksum, which "etcdutl snapshot status" does not: that one calls truncated and changed
files good. Needs no cluster and no etcdutl. Exit code 1 where the file cannot be restored.`,
  examples: [
    ['One snapshot', 'etcd snapshot status /backup/karmada-1000104754-20261121T112304Z.db'],
    ['For programs', 'etcd snapshot status snapshot.db -o json'],
  ],
  args: { file: arg.one('FILE', { required: true }) },
  flags: { output: outputFlag(['json', 'yaml']) },
  async run({ file, flags, session }) {
    const { inspectSnapshot } = await import('../../../etcd/snapshot/inspect.ts')
    const facts = await inspectSnapshot(file, { signal: session.signal })
    if (flags.output) {
      const { printData } = await import('../../../cli/print.ts')
      const { snapshotData } = await import('./data.ts')
      await printData(session, snapshotData(facts), flags.output)
    } else {
      session.out(await lines(facts))
    }
    if (facts.condition !== 'good') {
      throw new UserError(`${file}: ${facts.why}`, {
        hint: 'do not restore from it; kubectl karmada-net etcd snapshot list shows the others',
      })
    }
  },
})

async function lines(facts: SnapshotFacts): Promise<string> {
  const { formatBytes } = await import('../../../etcd/bytes.ts')
  const { members = [] } = facts
  const rows: [string, string | undefined][] = [
    ['File', facts.path],
    ['Condition', facts.condition === 'good' ? 'good: the checksum fits its content' : facts.condition],
    ['Size', formatBytes(facts.sizeBytes)],
    ['Taken', facts.takenAt.toISOString()],
    ['Revision', facts.revision?.toString()],
    ['Version', facts.version],
    ['Members', members.map(({ name, peerUrls }) => `${name} ${peerUrls.join(',')}`).join('; ') || undefined],
    ['SHA-256', facts.sha256],
  ]
  return rows.flatMap(([label, value]) => (value === undefined ? [] : `${`${label}:`.padEnd(11)}${value}`)).join('\n')
}
