import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'

/** Built programs and assembled images; safe to delete when no sandbox is up, made again when needed. */
export const cacheDir: string = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'karmada-net')

/** Marks a folder of the cache as used now. */
export const touch = (folder: string): Promise<void> => utimes(folder, new Date(), new Date())

/** Removes all but the most recently used folders: each is a gigabyte, and a sandbox or two may still use theirs. */
export async function keepNewest(folder: string, count: number): Promise<void> {
  const entries = await Promise.all(
    (await readdir(folder)).map(async name => ({ name, used: (await stat(join(folder, name))).mtimeMs })),
  )
  entries.sort((one, other) => other.used - one.used)
  for (const { name } of entries.slice(count)) await rm(join(folder, name), { recursive: true, force: true })
}
