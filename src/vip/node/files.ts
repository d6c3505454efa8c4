import { lstat, mkdir, readFile, readlink, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Answers false where the file is so already. Whoever reads it meanwhile has the old one whole. */
export async function writeIfDifferent(path: string, content: string | Buffer, mode = 0o644): Promise<boolean> {
  const there = await lstat(path).catch(() => undefined)
  if (there?.isFile() && (there.mode & 0o777) === mode && (await readFile(path)).equals(Buffer.from(content)))
    return false
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, content, { mode })
  await rename(`${path}.new`, path)
  return true
}

/** Answers false where the link is so already. */
export async function linkIfDifferent(path: string, target: string): Promise<boolean> {
  if ((await readlink(path).catch(() => undefined)) === target) return false
  await mkdir(dirname(path), { recursive: true })
  await rm(`${path}.new`, { force: true })
  await symlink(target, `${path}.new`)
  await rename(`${path}.new`, path)
  return true
}

/** The text of a file; undefined where there is none, or a folder above it is missing. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Is there anything by that name, a link that leads nowhere included? */
export const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined)) !== undefined

/** Removes a folder unless somebody has something in it. */
export async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(error.code ?? '')) throw error
  })
}
