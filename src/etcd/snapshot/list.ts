import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type InspectOptions, inspectSnapshot, type SnapshotFacts } from './inspect.ts'
import { parseSnapshotName } from './names.ts'

export interface ListedSnapshot extends SnapshotFacts {
  file: string
  /** From its name; undefined: it was named by somebody else. */
  cluster?: string | undefined
}

/** All snapshots of a folder, the newest first, whoever named them; files that are no snapshots are left out. */
export async function listSnapshots(directory: string, options: InspectOptions = {}): Promise<ListedSnapshot[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name)
  const found: ListedSnapshot[] = []
  for (const file of files) {
    options.signal?.throwIfAborted()
    const named = parseSnapshotName(file)
    const facts = await inspectSnapshot(join(directory, file), options)
    // A file of ours that has lost its beginning is worth a line, a text file is not.
    if (facts.condition === 'no snapshot' && !named && !file.endsWith('.db')) continue
    found.push({ ...facts, file, cluster: named?.cluster, takenAt: named?.takenAt ?? facts.takenAt })
  }
  return found.toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime())
}

/** When the newest snapshot of the cluster in this folder was taken, by the names alone; undefined: there is none, or no folder. */
export async function newestSnapshot(directory: string, cluster: string): Promise<Date | undefined> {
  const files = await readdir(directory).catch(() => [])
  return files
    .flatMap(file => {
      const name = parseSnapshotName(file)
      return name?.cluster === cluster ? name.takenAt : []
    })
    .toSorted((a, b) => b.getTime() - a.getTime())[0]
}
