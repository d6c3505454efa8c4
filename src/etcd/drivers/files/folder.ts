import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unlessCode, writeDurably } from '../../store/fs.ts'

/** Undefined where there is no such file. */
export const readText = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch(unlessCode('ENOENT', 'ENOTDIR'))

/** Gives the file this text for its owner alone, in one rename; leaves it be where it has it. True: it was changed. */
export async function ensureFile(file: string, text: string): Promise<boolean> {
  if ((await readText(file)) === text && (await modeOf(file)) === 0o600) return false
  await ensureFolder(dirname(file))
  const draft = draftIn(dirname(file))
  try {
    await writeDurably(draft, text)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
  return true
}

const draftPrefix = '.draft-'

/** A name for what is being written; `sweep` removes it should the run be killed. */
export const draftIn = (folder: string): string => join(folder, `${draftPrefix}${randomUUID()}`)

export const sizeOf = async (file: string): Promise<number> => (await stat(file)).size

/** Removes what a run that was killed has left half written: it may hold keys. */
export async function sweep(folder: string): Promise<void> {
  const drafts = (await namesIn(folder)).filter(name => name.startsWith(draftPrefix))
  for (const name of drafts) await rm(join(folder, name), { force: true })
}

/** True: it was there. */
export async function removeFile(file: string): Promise<boolean> {
  const there = await stat(file).then(() => true, unlessCode('ENOENT', 'ENOTDIR'))
  await rm(file, { force: true })
  return there === true
}

/** Of the owner alone: it holds keys. */
export async function ensureFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await modeOf(folder)) !== 0o700) await chmod(folder, 0o700)
}

/** Names in it; none where there is no such folder. */
export const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(unlessCode('ENOENT'))) ?? []

/** Removes the folders that are empty, the deepest first. */
export async function removeEmpty(...folders: string[]): Promise<void> {
  for (const folder of folders) await rmdir(folder).catch(unlessCode('ENOENT', 'ENOTEMPTY', 'EEXIST'))
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777
