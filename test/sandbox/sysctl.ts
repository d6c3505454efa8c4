import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stateRoot, sysctlFile } from './paths.ts'
import { sandboxNames } from './state.ts'

/** What several kubelets and Karmada need more of than a small machine offers; never lowered. */
const raised: Record<string, number> = {
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524288,
}

/** What every kubelet sets as it starts, on the machine as a whole. */
const setByKubelet = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
]

const file = (name: string): string => join('/proc/sys', name)

/** Remembers the kernel settings that sandboxes change (the first one does), and raises the limits. */
export async function raiseLimits(): Promise<void> {
  await mkdir(stateRoot, { recursive: true, mode: 0o700 })
  const before: Record<string, string> = {}
  for (const name of [...Object.keys(raised), ...setByKubelet])
    before[name] = (await readFile(file(name), 'utf8')).trim()
  await writeFile(sysctlFile, JSON.stringify(before), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  for (const [name, value] of Object.entries(raised))
    if (Number(before[name]) < value) await writeFile(file(name), String(value))
}

/** Puts the kernel settings back once no sandbox is left. */
export async function restoreLimits(): Promise<void> {
  if ((await sandboxNames()).length > 0) return
  const text = await readFile(sysctlFile, 'utf8').catch(() => undefined)
  if (text === undefined) return
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>))
    await writeFile(file(name), value)
  await rm(stateRoot, { recursive: true, force: true })
}
