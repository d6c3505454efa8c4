import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Progress } from '../../steps/step.ts'
import { formatBytes, formatShare } from '../bytes.ts'
import { isTransient } from '../client/retry.ts'
import type { MemberSpec } from '../cluster.ts'
import { type ClusterView, lookAt } from '../view.ts'
import type { Reachable } from '../world.ts'
import { chooseSources } from './choose.ts'
import { inspectSnapshot, type SnapshotFacts } from './inspect.ts'
import { isPartOf, outdated, partName, snapshotName } from './names.ts'
import { DamagedError, type Written, writeSnapshot } from './write.ts'

export interface SaveOptions {
  /** A file that is not there yet, or a folder that gets a file named after cluster, revision and time. */
  target: { file: string; overwrite: boolean } | { directory: string; keep?: number | undefined }
  /** From this member and no other. */
  member?: string | undefined
  progress?: Progress | undefined
}

export interface Saved {
  facts: SnapshotFacts
  member: string
  elapsedMs: number
  /** Older snapshots of the cluster that had to go. */
  removed: string[]
  warning?: string | undefined
}

/** Unfinished files of runs that were killed; one that is being written changes all the time. Milliseconds. */
const abandonedAfterMs = 10 * 60_000
/** Beside the snapshot itself. */
const spareBytes = 16 << 20

/**
 * Takes a snapshot and answers when the disk has it: from a follower where there is one, from the next member where one fails in the
 * middle. Until its checksum fits it lies in a hidden file beside its place. Throws UserError, or the signal's reason.
 */
export async function saveSnapshot(world: Reachable, { target, member, progress }: SaveOptions): Promise<Saved> {
  const cluster = world.state.spec.name
  const directory = 'file' in target ? dirname(target.file) : target.directory
  await prepare(target, directory)
  const started = performance.now()
  const view = await lookAt(world)
  const { members, warning } = chooseSources(view, member)
  await refuseFullDisk(directory, view)
  await removeAbandoned(directory, cluster, world.now())
  const part = join(directory, partName(cluster, randomBytes(6).toString('hex')))
  try {
    const { from } = await fromAnyOf(members, source => copy(world, source, part, view, progress), progress)
    const { revision = 0n } = await inspectSnapshot(part, { checksum: false })
    const name = snapshotName({ cluster, revision, takenAt: new Date(world.now()) })
    const path = 'file' in target ? target.file : join(directory, name)
    await rename(part, path)
    await syncDirectory(directory)
    const facts: SnapshotFacts = { ...(await inspectSnapshot(path, { checksum: false })), condition: 'good' }
    const removed =
      'keep' in target && target.keep !== undefined ? await prune(directory, cluster, target.keep, name) : []
    return { facts, member: from.name, elapsedMs: performance.now() - started, removed, warning }
  } finally {
    await rm(part, { force: true })
  }
}

/** A folder that is not there is made; a file that is there stays unless it may be replaced. */
async function prepare(target: SaveOptions['target'], directory: string): Promise<void> {
  if (!('file' in target)) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return
  }
  const folder = await stat(directory).catch(() => undefined)
  if (!folder?.isDirectory()) throw new UserError(`there is no folder ${directory}`, { hint: `mkdir -p ${directory}` })
  if (target.overwrite || !(await stat(target.file).catch(() => undefined))) return
  throw new UserError(`${target.file} exists already`, {
    hint: `name a folder instead and each snapshot gets a name of its own: kubectl karmada-net etcd snapshot save ${directory}/`,
  })
}

async function refuseFullDisk(directory: string, view: ClusterView): Promise<void> {
  const needed = Math.max(...view.members.map(({ status }) => status?.dbSize ?? 0)) + spareBytes
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize >= needed) return
  throw new UserError(
    `not enough room in ${directory}: ${formatBytes(bavail * bsize)} are free, the snapshot needs ${formatBytes(needed)}`,
    { hint: 'kubectl karmada-net etcd snapshot save FOLDER --keep N removes older ones after each new one' },
  )
}

async function fromAnyOf(
  members: readonly MemberSpec[],
  copyFrom: (member: MemberSpec) => Promise<Written>,
  progress: Progress | undefined,
): Promise<{ from: MemberSpec; written: Written }> {
  const [from, ...others] = members
  if (!from) throw new Error('no member to take a snapshot from')
  try {
    return { from, written: await copyFrom(from) }
  } catch (error) {
    const [next] = others
    if (!next || !(isTransient(error) || error instanceof DamagedError)) throw forPeople(error, from)
    progress?.(`${from.name} failed (${(error as Error).message}), going on with ${next.name}`)
    return fromAnyOf(others, copyFrom, progress)
  }
}

function forPeople(error: unknown, { name }: MemberSpec): unknown {
  if (error instanceof DamagedError) return new UserError(`${name}: ${error.message}`, { cause: error })
  if (isTransient(error)) {
    return new UserError(
      `${name} did not give the whole snapshot, and nothing of it is kept: ${(error as Error).message}`,
      {
        hint: 'the same command again; without --member another member goes on where one fails',
        cause: error,
      },
    )
  }
  const full = error instanceof Error && 'code' in error && /^(ENOSPC|EDQUOT)$/.test(String(error.code))
  return full ? new UserError('the disk became full while the snapshot was written', { cause: error }) : error
}

async function copy(
  world: Reachable,
  member: MemberSpec,
  part: string,
  view: ClusterView,
  progress: Progress | undefined,
): Promise<Written> {
  await rm(part, { force: true })
  const size = view.members.find(({ spec }) => spec === member)?.status?.dbSize ?? 0
  const say = (bytes: number) => progress?.(`${member.name}: ${formatShare(bytes, Math.max(bytes, size))}`)
  return writeSnapshot(world.clientOf(member).snapshot({ signal: world.signal }), part, say)
}

/** The new name must outlive a power cut as well. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function removeAbandoned(directory: string, cluster: string, now: number): Promise<void> {
  for (const file of await readdir(directory)) {
    if (!isPartOf(cluster, file)) continue
    const path = join(directory, file)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() && now - found.mtimeMs > abandonedAfterMs) await rm(path, { force: true })
  }
}

/** Removes the oldest until `keep` are left, of them the new one; only files with a name that `saveSnapshot` gave to this cluster's. */
async function prune(directory: string, cluster: string, keep: number, saved: string): Promise<string[]> {
  // A clock that was set back makes the only one that is known to be good the oldest.
  const others = (await filesIn(directory)).filter(name => name !== saved)
  const old = outdated(others, cluster, keep - 1)
  for (const file of old) await rm(join(directory, basename(file)), { force: true })
  return old
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(({ name }) => name)
}

/** What `saveSnapshot` would do now, in words, one line each; changes nothing. Throws UserError where it would. */
export async function planSnapshot(world: Reachable, { target, member }: SaveOptions): Promise<string[]> {
  const view = await lookAt(world)
  const [first] = chooseSources(view, member).members
  const size = view.members.find(({ spec }) => spec === first)?.status?.dbSize ?? 0
  const cluster = world.state.spec.name
  const path = 'file' in target ? target.file : join(target.directory, `${cluster}-REVISION-DATE.db`)
  const there = 'file' in target ? [] : await filesIn(target.directory).catch(() => [])
  const old = 'file' in target || target.keep === undefined ? [] : outdated(there, cluster, target.keep - 1)
  return [
    `${path}: the database of ${first?.name}, ${formatBytes(size)}`,
    ...old.map(file => `Remove ${file}, once the new one is checked`),
  ]
}
