import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { outputFlag } from '../../../cli/flags.ts'
import { program } from '../../../cli/io.ts'
import type { Session } from '../../../cli/session.ts'
import { UserError } from '../../../errors.ts'
import type { Backup } from '../../../etcd/cluster.ts'
import type { Saved, SaveOptions } from '../../../etcd/snapshot/save.ts'
import type { Reachable } from '../../../etcd/world.ts'
import { type EtcdFlags, etcdFlags, etcdMutatingFlags, openEtcd } from '../shared.ts'
import { refuseScheduleFlags, schedule, scheduleFlags } from './schedule.ts'

const { dryRun, timeout } = etcdMutatingFlags

export const etcdSnapshotSave = defineCommand({
  name: 'etcd snapshot save',
  summary: 'Copy the database of a running cluster into a file',
  description: `Takes the snapshot from a follower that has what the leader has, so that the leader goes on undisturbed, and from the next
member where one fails in the middle. The file appears under its name only once its checksum fits and the disk has it.

A folder gets a file NAME-REVISION-DATE.db; --keep then removes the oldest ones of this cluster. The file holds every Secret of the
control planes on this etcd, readable for whoever can read the file: it is made with mode 0600.

--every schedules backups and does nothing now. Where members run in Kubernetes a CronJob of each site takes them, beside a member
and into a folder of its node, so that each site has copies of its own; else a timer of systemd on this machine.`,
  examples: [
    ['Into a folder, the newest seven stay', 'etcd snapshot save /backup/ --keep 7'],
    ['Into one file', 'etcd snapshot save before-upgrade.db'],
    ['From one member', 'etcd snapshot save /backup/ --member m3'],
    ['Every six hours from now on', 'etcd snapshot save --every 6h --keep 28'],
    ['And no more', 'etcd snapshot save --every never'],
    [
      'Of any etcd, with nothing remembered of it',
      'etcd snapshot save /backup/ --endpoints https://10.0.0.1:2379,https://10.0.1.1:2379 --ca-file ca.crt --cert-file tls.crt --key-file tls.key',
    ],
  ],
  args: { target: arg.one('FILE|FOLDER') },
  flags: {
    ...etcdFlags,
    keep: flag.count('Snapshots of this cluster to keep in the folder; default: all', { min: 1 }),
    member: flag.string('Take it from this member; default: the best one'),
    force: flag.boolean('Replace FILE where it is there already'),
    directory: flag.string('The folder, where no FOLDER is given; with --every, on the machines that take backups', {
      files: true,
    }),
    ...scheduleFlags,
    endpoints: flag.string(
      'URL,...: addresses of members; then nothing needs to be known of the cluster, --etcd names its files',
    ),
    caFile: flag.string('With --endpoints: whom to trust', { files: true }),
    certFile: flag.string('With --endpoints: the client certificate', { files: true }),
    keyFile: flag.string('With --endpoints: its key', { files: true }),
    dryRun,
    timeout,
    output: outputFlag(['json', 'yaml', 'name']),
  },
  async run({ target, flags, session }) {
    if (flags.every !== undefined) return schedule(target, { ...flags, every: flags.every }, session)
    refuseScheduleFlags(flags)
    const { planSnapshot, saveSnapshot } = await import('../../../etcd/snapshot/save.ts')
    const { perform } = await import('../../../cli/perform.ts')
    const { world, backup } = await reach(flags, session)
    const where = await targetOf(target, backup, flags)
    const { member } = flags
    if (flags.dryRun !== 'none') {
      for (const line of await planSnapshot(world, { target: where, member })) session.out(line)
      return session.say('Nothing was changed (dry run).')
    }
    let saved: Saved | undefined
    const step = {
      title: 'Snapshot',
      async run(on: Reachable, progress: (waitingFor: string) => void) {
        saved = await saveSnapshot(on, { target: where, member, progress })
        return { changed: true, detail: await detailOf(saved) }
      },
    }
    await perform(session, [{ steps: [step] }], world)
    if (saved) await conclude(session, saved, flags.output)
  },
})

/** The cluster that is known, or the one that is named by its addresses. */
async function reach(
  flags: EtcdFlags & EndpointFlags,
  session: Session,
): Promise<{ world: Reachable; backup?: Backup | undefined }> {
  const { endpoints, caFile, certFile, keyFile, etcd, timeout: timeoutMs } = flags
  if (endpoints !== undefined) {
    const { reachEndpoints } = await import('../../../etcd/endpoints.ts')
    const files = { caFile, certFile, keyFile }
    return {
      world: await reachEndpoints({ name: etcd ?? 'etcd', endpoints, ...files, signal: session.signal, timeoutMs }),
    }
  }
  if (caFile !== undefined || certFile !== undefined || keyFile !== undefined) {
    throw new UserError('--ca-file, --cert-file and --key-file are for --endpoints')
  }
  const world = await openEtcd(flags, session)
  return { world, backup: world.state.spec.backup }
}

interface EndpointFlags {
  endpoints?: string | undefined
  caFile?: string | undefined
  certFile?: string | undefined
  keyFile?: string | undefined
  timeout: number
}

async function targetOf(
  target: string | undefined,
  backup: Backup | undefined,
  { keep, force, directory }: { keep?: number | undefined; force: boolean; directory?: string | undefined },
): Promise<SaveOptions['target']> {
  const { stat } = await import('node:fs/promises')
  if (target !== undefined && directory !== undefined) {
    throw new UserError(`the snapshot goes to ${target} or to ${directory}: give one of them`)
  }
  if (directory !== undefined) return { directory, keep }
  const path = target ?? backup?.directory
  if (path === undefined)
    throw new UserError('FILE or FOLDER is missing', { hint: `${program} etcd snapshot save /backup/` })
  const isFolder =
    path.endsWith('/') || (await stat(path).catch(() => undefined))?.isDirectory() || target === undefined
  if (isFolder) return { directory: path, keep: keep ?? (target === undefined ? backup?.keep : undefined) }
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
