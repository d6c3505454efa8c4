import { spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport } from '../setup/report.ts'
import type { RunResult } from '../setup/run.ts'
import { attemptInVm, runInVm, type VmRunOptions } from './exec.ts'
import { ensureVmParts } from './parts.ts'
import { consoleLog, qemuCommand, type VmSpec } from './qemu.ts'

/** A virtual machine with a kernel of its own (IPVS, network namespaces, IPv6) and this machine's programs; it forgets what it writes. */
export interface Vm extends AsyncDisposable {
  /** Runs a program in it. Throws `CommandError`. */
  exec(command: string[], options?: VmRunOptions): Promise<RunResult>
  /** As `exec`, but any exit code is an answer. */
  attempt(command: string[], options?: VmRunOptions): Promise<RunResult>
  /** Where it shows this machine's file: its own /tmp, /run, /var/lib and /var/log hide those. */
  hostPath(path: string): string
  /** A file with what its kernel said. */
  console: string
}

export const hostPath = (path: string): string => `/run/karmada-net/host${path}`

/** Boots one without services, in a few seconds. Ends with this process, or when disposed of. */
export async function bootVm(options: Partial<Pick<VmSpec, 'memoryMiB' | 'cpus' | 'bin'>> = {}): Promise<Vm> {
  const parts = await ensureVmParts(createReport())
  const folder = await mkdtemp(join(tmpdir(), 'karmada-net-vm-'))
  const spec: VmSpec = { name: 'vm', folder, memoryMiB: 1024, cpus: 2, init: 'plain', ...options }
  const log = await open(join(folder, 'qemu.log'), 'w')
  const command = ['setpriv', '--pdeathsig', 'KILL', '--', ...qemuCommand(spec, parts)]
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  const ended = new Promise<void>(resolve => child.once('close', resolve))
  const dispose = async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await untilItAnswers(folder, () => child.exitCode !== null)
  } catch (error) {
    const said = await Promise.all([consoleLog(folder), join(folder, 'qemu.log')].map(file => tail(file)))
    await dispose()
    throw new Error(`${(error as Error).message}\n${said.join('\n')}`)
  }
  return {
    exec: (command, options) => runInVm(folder, spec.name, command, options),
    attempt: (command, options) => attemptInVm(folder, command, options),
    hostPath,
    console: consoleLog(folder),
    [Symbol.asyncDispose]: dispose,
  }
}

async function untilItAnswers(folder: string, hasEnded: () => boolean): Promise<void> {
  const end = performance.now() + 180_000
  while (performance.now() < end) {
    if (hasEnded()) throw new Error('the virtual machine ended at once')
    const result = await attemptInVm(folder, ['true'], { timeoutMs: 10_000 }).catch(() => undefined)
    if (result?.code === 0) return
    if (!result) await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('the virtual machine did not start within 180 s')
}

const tail = async (file: string): Promise<string> => (await readFile(file, 'utf8').catch(() => '')).slice(-2000)
