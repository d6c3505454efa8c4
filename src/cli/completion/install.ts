import { chmod, lstat, mkdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { completerName } from './protocol.ts'

export interface Installation {
  /** The file that kubectl will find. */
  path: string
  changed: boolean
  /** Is its directory one that kubectl looks in? */
  onPath: boolean
}

/** The file this program was started as. A standalone executable called by its bare name is told no more than that name. */
export async function executablePath(invokedAs: string, env: Record<string, string | undefined>): Promise<string> {
  if (invokedAs !== basename(invokedAs)) return resolve(invokedAs)
  for (const dir of pathDirectories(env)) {
    const candidate = join(dir, invokedAs)
    const found = await stat(candidate).catch(() => undefined)
    if (found?.isFile()) return candidate
  }
  return process.execPath
}

/**
 * Puts the completer beside the executable, or in `dir`: a link, which the program knows itself by. Run again it finds its work done.
 * Throws UserError where a file stands there that is not ours.
 */
export async function installCompleter(
  executable: string,
  dir: string,
  env: Record<string, string | undefined>,
): Promise<Installation> {
  const onPath = pathDirectories(env).some(each => resolve(each) === resolve(dir))
  await mkdir(dir, { recursive: true })
  const path = completerIn(dir)
  if (onWindows) return { path, onPath, changed: await place(path, `@"${executable}" __complete %*\r\n`) }
  const target = resolve(dir) === dirname(executable) ? basename(executable) : executable
  return { path, onPath, changed: await link(path, target) }
}

export interface Removal {
  path: string
  changed: boolean
  /** Directories of PATH where kubectl still finds a completer. */
  left: string[]
}

/** Takes back what `installCompleter` put into `dir`. Run again it finds nothing. Throws UserError where a file stands there that is not ours. */
export async function uninstallCompleter(dir: string, env: Record<string, string | undefined>): Promise<Removal> {
  const path = completerIn(dir)
  const there = await lstat(path).catch(() => undefined)
  const ours = onWindows ? (await textOf(path))?.includes(ourText) : there?.isSymbolicLink()
  if (there && !ours)
    throw new UserError(`${path} was not put there by this command`, { hint: `remove it: rm ${path}` })
  await rm(path, { force: true })
  const found = pathDirectories(env).map(async each =>
    (await lstat(completerIn(each)).catch(() => undefined)) ? [each] : [],
  )
  return { path, changed: there !== undefined, left: [...new Set((await Promise.all(found)).flat())] }
}

const onWindows = process.platform === 'win32'
const ourText = ' __complete '

/** Where the completer stands in a directory, under the name that kubectl looks for. */
const completerIn = (dir: string): string => join(dir, onWindows ? `${completerName}.cmd` : completerName)

const textOf = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined)

async function link(path: string, target: string): Promise<boolean> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isSymbolicLink()) throw notOurs(path)
  if (there && (await readlink(path)) === target) return false
  await rm(path, { force: true })
  await symlink(target, path)
  return true
}

async function place(path: string, text: string): Promise<boolean> {
  const there = await textOf(path)
  if (there === text) return false
  if (there !== undefined && !there.includes(ourText)) throw notOurs(path)
  await writeFile(path, text)
  await chmod(path, 0o755)
  return true
}

const notOurs = (path: string) =>
  new UserError(`${path} is there already and was not put there by this command`, {
    hint: `move it away: mv ${path} ${path}.old`,
  })

const pathDirectories = (env: Record<string, string | undefined>) =>
  (env['PATH'] ?? '').split(delimiter).filter(dir => dir !== '')
