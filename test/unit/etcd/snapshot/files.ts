import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Snapshots of a real etcd 3.6.16: its keys fill several pages; the newest key of the other is gone. */
export const realSnapshot = async (name: '300-keys' | 'deleted-and-compacted'): Promise<Buffer> =>
  gunzipSync(await readFile(join(import.meta.dirname, `${name}.db.gz`)))

export const withChecksum = (database: Buffer): Buffer =>
  Buffer.concat([database, createHash('sha256').update(database).digest()])

export async function temporaryFolder(): Promise<AsyncDisposable & { path(name: string): string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'karmada-net-snapshot-'))
  return {
    folder,
    path: name => join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
