import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { runProgram } from '../../program.ts'
import type { Backup } from '../cluster.ts'
import { unlessCode } from '../store/fs.ts'
import { backupUnits, type Caller, isOurs, unitNames } from './units.ts'

/** What takes the backups of clusters that have no member in Kubernetes. */
export interface Machine {
  /** Why it cannot; undefined: it can. */
  whyNot(): Promise<string | undefined>
  ensure(cluster: string, backup: Backup): Promise<{ changed: boolean; where: string }>
  /** True: there was something. */
  remove(cluster: string): Promise<boolean>
}

export interface MachineOptions {
  caller: Caller
  env: Record<string, string | undefined>
  signal: AbortSignal
  /** Writes the units there and starts nothing. Undefined: installs them on this machine. */
  out?: string | undefined
}

const unitFolder = '/etc/systemd/system'
/** Milliseconds. */
const systemctlMs = 30_000

/** This machine's systemd, or a folder for another one's. */
export function createMachine({ caller, env, signal, out }: MachineOptions): Machine {
  const folder = out === undefined ? unitFolder : resolve(out)
  const systemctl = async (...words: string[]) => {
    if (out !== undefined) return
    const { code, stderr } = await runProgram('systemctl', words, { env, signal, timeoutMs: systemctlMs })
    if (code !== 0) throw new UserError(`systemctl ${words.join(' ')}: ${stderr.trim() || `exit ${code}`}`)
  }
  const whyNot = async () => (out === undefined ? whyNoSystemd() : undefined)
  return {
    whyNot,
    async ensure(cluster, backup) {
      const units = backupUnits(cluster, backup, caller)
      const { timer } = unitNames(cluster)
      const why = await whyNot()
      if (why !== undefined) {
        throw new UserError(`backups cannot be scheduled from here: ${why}`, {
          hint: `kubectl karmada-net etcd snapshot save --every ${backup.schedule} --out DIR writes units for somebody else to install`,
        })
      }
      const changed = await writeUnits(folder, units)
      if (out !== undefined) return { changed, where: `written to ${folder}, to be installed` }
      await mkdir(backup.directory, { recursive: true, mode: 0o700 })
      if (changed) await systemctl('daemon-reload')
      await systemctl('enable', '--now', timer)
      // One that runs already has the old times.
      if (changed) await systemctl('restart', timer)
      return { changed, where: `${timer} on this machine` }
    },
    async remove(cluster) {
      const { service, timer } = unitNames(cluster)
      const ours = []
      for (const name of [timer, service]) if (isOurs((await textOf(join(folder, name))) ?? '')) ours.push(name)
      if (ours.length === 0) return false
      if (ours.includes(timer)) await systemctl('disable', '--now', timer)
      for (const name of ours) await rm(join(folder, name), { force: true })
      await systemctl('daemon-reload')
      return true
    },
  }
}

async function whyNoSystemd(): Promise<string | undefined> {
  const runs = await access('/run/systemd/system').then(
    () => true,
    () => false,
  )
  if (!runs) return 'no systemd runs on this machine'
  return process.getuid?.() === 0 ? undefined : 'only root may install units'
}

async function writeUnits(folder: string, units: Record<string, string>): Promise<boolean> {
  await mkdir(folder, { recursive: true })
  let changed = false
  for (const [name, text] of Object.entries(units)) {
    const path = join(folder, name)
    const before = await textOf(path)
    if (before !== undefined && !isOurs(before)) throw new UserError(`${path} was not written by this plugin`)
    if (before === text) continue
    await writeFile(`${path}.part`, text, { mode: 0o644 })
    await rename(`${path}.part`, path)
    changed = true
  }
  return changed
}

const textOf = (path: string) => readFile(path, 'utf8').catch(unlessCode('ENOENT'))
