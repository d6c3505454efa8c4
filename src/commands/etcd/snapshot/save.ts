import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { outputFlag } from '../../../cli/flags.ts'
import { program } from '../../../cli/io.ts'
import type { Session } from '../../../cli/session.ts'
import { UserError } from '../../../errors.ts'
import type { Saved, SaveOptions } from '../../../etcd/snapshot/save.ts'
import type { EtcdWorld } from '../../../etcd/world.ts'
import { etcdFlags, openEtcd } from '../shared.ts'

export const etcdSnapshotSave = defineCommand({
  name: 'etcd snapshot save',
  summary: 'Copy the database of a running cluster into a file',
  description: `Takes the snapshot from a follower that has what the leader has, so that the leader goes on undisturbed, and from the next
member where one fails in the middle. The file appears under its name only once its checksum fits and the disk has it.

A folder gets a file NAME-REVISION-DATE.db; --keep then removes the oldest ones of this cluster. The file holds every Secret of the
control planes on this etcd, readable for whoever can read the file: it is made with mode 0600.`,
  examples: [
    ['Into a folder, the newest seven stay', 'etcd snapshot save /backup/ --keep 7'],
    ['Into one file', 'etcd snapshot save before-upgrade.db'],
    ['From one member', 'etcd snapshot save /backup/ --member m3'],
  ],
  args: { target: arg.one('FILE|FOLDER') },
  flags: {
    ...etcdFlags,
    keep: flag.count('Snapshots of this cluster to keep in the folder; default: all', { min: 1 }),
    member: flag.string('Take it from this member; default: the best one'),
    force: flag.boolean('Replace FILE where it is there already'),
    output: outputFlag(['json', 'yaml', 'name']),
  },
  async run({ target, flags, session }) {
    const { saveSnapshot } = await import('../../../etcd/snapshot/save.ts')
    const { perform } = await import('../../../cli/perform.ts')
    const world = await openEtcd(flags, session)
    const where = await targetOf(target, world, flags)
    let saved: Saved | undefined
    const step = {
      title: 'Snapshot',
      async run(on: EtcdWorld, progress: (waitingFor: string) => void) {
        saved = await saveSnapshot(on, { target: where, member: flags.member, progress })
        return { changed: true, detail: await detailOf(saved) }
      },
    }
    await perform(session, [{ steps: [step] }], world)
    if (saved) await conclude(session, saved, flags.output)
  },
})

async function targetOf(
  target: string | undefined,
  { state }: EtcdWorld,
  { keep, force }: { keep?: number | undefined; force: boolean },
): Promise<SaveOptions['target']> {
  const { stat } = await import('node:fs/promises')
  const path = target ?? state.spec.backup?.directory
  if (path === undefined)
    throw new UserError('FILE or FOLDER is missing', { hint: `${program} etcd snapshot save /backup/` })
  const isFolder =
    path.endsWith('/') || (await stat(path).catch(() => undefined))?.isDirectory() || target === undefined
  if (isFolder) return { directory: path, keep: keep ?? (target === undefined ? state.spec.backup?.keep : undefined) }
  if (keep !== undefined) {
    throw new UserError(`--keep goes with a folder, and ${path} is none`, { hint: 'name a folder: it may end in /' })
  }
  return { file: path, overwrite: force }
}

async function detailOf({ facts, member, elapsedMs }: Saved): Promise<string> {
  const { formatBytes } = await import('../../../etcd/bytes.ts')
  const perSecond = formatBytes(facts.sizeBytes / Math.max(elapsedMs / 1000, 0.001))
  return `${formatBytes(facts.sizeBytes)} from ${member}, revision ${facts.revision}, checksum fits (${perSecond}/s)`
}

async function conclude(session: Session, saved: Saved, output: 'json' | 'yaml' | 'name' | undefined): Promise<void> {
  const { facts, member, removed, warning } = saved
  if (warning !== undefined) session.warn(warning)
  for (const file of removed) session.say(`Removed ${file}`)
  if (output === 'json' || output === 'yaml') {
    const { printData } = await import('../../../cli/print.ts')
    const { snapshotData } = await import('./data.ts')
    return printData(session, { ...snapshotData(facts), member, removed }, output)
  }
  session.out(facts.path)
}
