import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { formatBytes } from '../bytes.ts'
import { type Bolt, openBolt } from './bolt.ts'

/**
 * `good`: what a member sent, to the last byte. `unchecked`: nothing wrong with what was looked at, but the checksum was not asked
 * for. `no checksum`: a whole database, but copied from a data directory.
 */
export type Condition = 'good' | 'unchecked' | 'no checksum' | 'truncated' | 'damaged' | 'no snapshot'

/** What a snapshot's file is. */
export interface SnapshotFacts {
  path: string
  sizeBytes: number
  /** When the file was finished. */
  takenAt: Date
  condition: Condition
  /** One line of what is wrong; empty when it is good. */
  why: string
  /** Of the database, as the file itself claims it; hex. */
  sha256?: string | undefined
  /** Of the newest key in it. */
  revision?: bigint | undefined
  /** Of the cluster that it is from: `3.6.0`. */
  version?: string | undefined
  /** Of the cluster that it is from. */
  members?: { name: string; peerUrls: string[] }[] | undefined
}

const trailerBytes = 32
/** Pages are multiples of this, so that what is beyond one tells whether there is a checksum. */
const sectorBytes = 512
const chunkBytes = 1 << 20

export interface InspectOptions {
  /** False: only what can be said without reading all of it. */
  checksum?: boolean | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((bytes: number) => void) | undefined
}

/**
 * Looks at a file as `etcd snapshot save` and `etcdctl snapshot save` write it. Says itself what is wrong with it; throws only where
 * it cannot be read at all. The checksum at its end shows damage, not malice: whoever changes the file can write another.
 */
export async function inspectSnapshot(path: string, options: InspectOptions = {}): Promise<SnapshotFacts> {
  const file = await open(path, 'r')
  try {
    const { size, mtime } = await file.stat()
    const about = { path, sizeBytes: size, takenAt: mtime }
    const bolt = await openBolt((offset, length) => readAt(file, offset, length))
    if (!bolt) return { ...about, condition: 'no snapshot', why: 'it does not begin as a database of etcd does' }
    return { ...about, ...(await judge(file, size, bolt, options)), ...(await contents(bolt)) }
  } finally {
    await file.close()
  }
}

/** The facts of a snapshot that may be restored. Throws UserError for any other. */
export async function requireGoodSnapshot(
  path: string,
  options: Omit<InspectOptions, 'checksum'> = {},
): Promise<SnapshotFacts> {
  const facts = await inspectSnapshot(path, options)
  if (facts.condition === 'good') return facts
  throw new UserError(`${path}: ${facts.why}`, {
    hint: 'kubectl karmada-net etcd snapshot list shows the other snapshots',
  })
}

type Judgement = Pick<SnapshotFacts, 'condition' | 'why' | 'sha256'>

async function judge(file: FileHandle, size: number, bolt: Bolt, options: InspectOptions): Promise<Judgement> {
  const missing = bolt.pagesBytes + trailerBytes - size
  if (missing > 0 && missing !== trailerBytes) {
    const part = `the last ${formatBytes(missing)} of ${formatBytes(bolt.pagesBytes)} are missing`
    return { condition: 'truncated', why: `truncated: ${part}` }
  }
  if (size % sectorBytes === 0) {
    const why =
      'it has no checksum: cut off just before it, or copied from a data directory rather than sent by a member'
    return { condition: 'no checksum', why }
  }
  if (size % sectorBytes !== trailerBytes) {
    return { condition: 'damaged', why: 'damaged: its length is not that of a database with a checksum' }
  }
  const claimed = (await readAt(file, size - trailerBytes, trailerBytes)).toString('hex')
  if (options.checksum === false) return { condition: 'unchecked', why: '', sha256: claimed }
  const actual = await hashOf(file, size - trailerBytes, options)
  if (actual === claimed) return { condition: 'good', why: '', sha256: claimed }
  const why = `damaged or tampered with: the checksum of its content is ${short(actual)}, at its end stands ${short(claimed)}`
  return { condition: 'damaged', why, sha256: claimed }
}

const short = (hex: string): string => `${hex.slice(0, 12)}...`

async function hashOf(file: FileHandle, length: number, { signal, onProgress }: InspectOptions): Promise<string> {
  const hash = createHash('sha256')
  // Two in turn: one is hashed while the other is read.
  const buffers = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)] as const
  const read = (turn: number, at: number) =>
    file.read(buffers[turn % 2 === 0 ? 0 : 1], 0, Math.min(chunkBytes, length - at), at)
  let next = read(0, 0)
  for (let at = 0, turn = 0; at < length; turn++) {
    signal?.throwIfAborted()
    const { bytesRead, buffer } = await next
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    at += bytesRead
    if (at < length) next = read(turn + 1, at)
    hash.update(buffer.subarray(0, bytesRead))
    onProgress?.(at)
  }
  return hash.digest('hex')
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

/** Whatever can be read of it: a damaged file may have lost any of it. */
async function contents(bolt: Bolt): Promise<Pick<SnapshotFacts, 'revision' | 'version' | 'members'>> {
  try {
    const meta = new Map((await bolt.entries('meta')).map(({ key, value }) => [key.toString(), value]))
    const cluster = new Map((await bolt.entries('cluster')).map(({ key, value }) => [key.toString(), value]))
    const members = (await bolt.entries('members')).map(({ value }) => memberOf(value))
    const newest = await bolt.lastKey('key')
    return {
      // Where the newest key was deleted and compacted, only the compaction still knows how far it went.
      revision: max(mainRevision(newest), mainRevision(meta.get('scheduledCompactRev')), 1n),
      version: (meta.get('storageVersion') ?? cluster.get('clusterVersion'))?.toString(),
      members: members.toSorted((a, b) => a.name.localeCompare(b.name)),
    }
  } catch {
    return {}
  }
}

/** Of `MAIN_SUB`, each eight bytes, big-endian. */
const mainRevision = (key: Buffer | undefined): bigint => (key && key.length >= 17 ? key.readBigInt64BE(0) : 0n)

const max = (...values: bigint[]): bigint => values.toSorted((a, b) => Number(b - a))[0] ?? 0n

function memberOf(value: Buffer): { name: string; peerUrls: string[] } {
  const { name = '', peerURLs = [] } = JSON.parse(value.toString()) as { name?: string; peerURLs?: string[] }
  return { name, peerUrls: peerURLs }
}
