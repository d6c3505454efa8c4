import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { attempt } from '../setup/run.ts'
import { kernelFile, slotsDir, stateRoot } from './paths.ts'
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

/** Without it a pod's answers to another pod of its node, which called a Service, pass the address translation by. */
const bridgeFilter = { module: 'br_netfilter', file: '/proc/sys/net/bridge' }

interface Kernel {
  settings: Record<string, string>
  /** Modules that were not there before. */
  modules: string[]
}

const file = (name: string): string => join('/proc/sys', name)

/** Remembers what sandboxes change of the kernel (the first one does), raises the limits, loads what is missing. For a holder of `lockShared`. */
export async function prepareKernel(): Promise<void> {
  await mkdir(stateRoot, { recursive: true, mode: 0o700 })
  if (!existsSync(kernelFile)) await remember()
  for (const [name, value] of Object.entries(raised))
    if (Number(await readFile(file(name), 'utf8')) < value) await writeFile(file(name), String(value))
  if (!existsSync(bridgeFilter.file)) await attempt(['modprobe', bridgeFilter.module])
}

async function remember(): Promise<void> {
  const settings: Record<string, string> = {}
  for (const name of [...Object.keys(raised), ...setByKubelet])
    settings[name] = (await readFile(file(name), 'utf8')).trim()
  const kernel: Kernel = { settings, modules: existsSync(bridgeFilter.file) ? [] : [bridgeFilter.module] }
  await writeFile(kernelFile, JSON.stringify(kernel))
}

/** Puts the kernel back as it was once no sandbox is left. For a holder of `lockShared`. */
export async function restoreKernel(): Promise<void> {
  if ((await sandboxNames()).length > 0) return
  const text = await readFile(kernelFile, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const { settings, modules } = JSON.parse(text) as Kernel
  for (const [name, value] of Object.entries(settings)) await writeFile(file(name), value)
  for (const module of modules) await attempt(['modprobe', '--remove', module])
  for (const path of [slotsDir, kernelFile]) await rm(path, { recursive: true, force: true })
  // It may be a disk of its own.
  await rmdir(stateRoot).catch(() => {})
}
