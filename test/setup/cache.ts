import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'

/** Built programs and assembled images; safe to delete, rebuilt when needed. */
export const cacheDir: string = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'karmada-net')
