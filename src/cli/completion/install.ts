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
  if (process.platform === 'win32') {
    const path = join(dir, `${completerName}.cmd`)
    return { path, onPath, changed: await place(path, `@"${executable}" __complete %*\r\n`) }
  }
  const path = join(dir, completerName)
  const target = resolve(dir) === dirname(executable) ? basename(executable) : executable
  return { path, onPath, changed: await link(path, target) }
}

async function link(path: string, target: string): Promise<boolean> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isSymbolicLink()) throw notOurs(path)
  if (there && (await readlink(path)) === target) return false
  await rm(path, { force: true })
  await symlink(target, path)
  return true
}

async function place(path: string, text: string): Promise<boolean> {
  const there = await readFile(path, 'utf8').catch(() => undefined)
  if (there === text) return false
  if (there !== undefined && !there.includes(' __complete ')) throw notOurs(path)
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
