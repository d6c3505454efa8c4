import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UserError } from '../../errors.ts'
import type { TextFile } from '../node/boot-files.ts'
import { readIfThere, writeIfDifferent } from '../node/files.ts'

/**
 * Writes files into a folder, which may hold them already and nothing else. Answers the paths written, none where all is so. `force`:
 * other content gives way, other files stay. Throws `UserError`.
 */
export async function writeFolder(folder: string, files: readonly TextFile[], force: boolean): Promise<string[]> {
  if (!force) await refuseOthers(folder, files)
  const written: string[] = []
  for (const { path, content, mode } of files)
    if (await writeIfDifferent(join(folder, path), content, mode)) written.push(path)
  return written
}

async function refuseOthers(folder: string, files: readonly TextFile[]): Promise<void> {
  const wanted = new Map(files.map(({ path, content }) => [path, content]))
  // A run that was cut off left one of these.
  const isDraft = (path: string) => path.endsWith('.new') && wanted.has(path.slice(0, -'.new'.length))
  for (const path of await filesIn(folder)) {
    if (isDraft(path) || wanted.get(path) === (await readIfThere(join(folder, path)))) continue
    const why = wanted.has(path) ? 'is there with other content' : 'is there, and none of ours'
    throw new UserError(`${join(folder, path)} ${why}`, {
      hint: 'another --out; or with --force: what differs is written anew, what is not ours stays',
    })
  }
}

/** Sorted; none where there is no such folder. Throws `UserError` where it is none. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter(entry => !entry.isDirectory())
      .map(entry => relative(folder, join(entry.parentPath, entry.name)))
      .sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') throw new UserError(`--out ${folder} is a file`, { hint: 'name a folder', cause: error })
    throw error
  }
}
