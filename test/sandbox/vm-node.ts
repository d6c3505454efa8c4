import { connect } from 'node:net'
import type { RunResult } from '../setup/run.ts'
import { hostPath } from '../vm/boot.ts'
import { attemptInVm, runInVm, type VmRunOptions } from '../vm/exec.ts'
import { consoleLog, monitorSocket } from '../vm/qemu.ts'
import { until } from './api.ts'
import { restartDaemons } from './health.ts'
import { isRunning } from './machine.ts'
import { kubeProxy, kubeProxyFile, type ProxySettings } from './node.ts'
import type { VmPlan } from './plan.ts'
import { readState } from './state.ts'
import { vmFolder } from './vm.ts'

/** A node in a virtual machine. Its commands do not depend on its network or on any service but one of the tests' own. */
export interface VmNode {
  name: string
  address: string
  /** A file with what its kernel said. */
  console: string
  /** Runs a program on it. Throws `CommandError`; also when the machine restarts meanwhile. */
  exec(command: string[], options?: VmRunOptions): Promise<RunResult>
  /** As `exec`, but any exit code is an answer. */
  attempt(command: string[], options?: VmRunOptions): Promise<RunResult>
  readFile(path: string): Promise<string>
  /** Where it shows a file of the machine that the tests run on. */
  hostPath(path: string): string
  /** Stops or starts a unit of systemd: kubelet, containerd, kube-proxy, ... */
  stop(unit: string): Promise<void>
  start(unit: string): Promise<void>
  /** Restarts it and waits until it takes commands; services may still be starting. Hard: as if the power had failed. */
  reboot(options?: { hard?: boolean }): Promise<void>
  powerOff(options?: { hard?: boolean }): Promise<void>
  powerOn(): Promise<void>
  /** Waits until it takes commands. */
  waitUntilUp(): Promise<void>
  /** Imports an archive of images, a file of this machine. */
  importImage(archive: string): Promise<void>
  /** Restarts kube-proxy in a mode. What an earlier one left in the kernel stays, as it would. */
  setKubeProxy(settings: ProxySettings): Promise<void>
}

const bootIdFile = '/proc/sys/kernel/random/boot_id'

export function vmNodeOf({ name, address }: VmPlan, sandbox: string): VmNode {
  const folder = vmFolder(sandbox, name)
  const exec = (command: string[], options?: VmRunOptions) => runInVm(folder, name, command, options)
  const attempt = (command: string[], options?: VmRunOptions) => attemptInVm(folder, command, options)
  const unit = async (verb: string, unitName: string) => {
    await exec(['systemctl', verb, unitName])
  }
  const bootId = async () => (await attempt(['cat', bootIdFile], { timeoutMs: 10_000 }).catch(() => undefined))?.stdout
  const waitUntilUp = () => until(`${name}: start`, 300, async () => Boolean(await bootId()))
  return {
    name,
    address,
    console: consoleLog(folder),
    exec,
    attempt,
    readFile: async path => (await exec(['cat', path])).stdout,
    hostPath,
    stop: unitName => unit('stop', unitName),
    start: unitName => unit('start', unitName),
    async reboot({ hard = false } = {}) {
      // Not knowing it, the boot of before would be taken for the next.
      const before = (await exec(['cat', bootIdFile])).stdout
      if (hard) await monitor(folder, 'system_reset')
      else await askSystemd(attempt, 'reboot')
      await until(`${name}: restart`, 300, async () => {
        const now = await bootId()
        return Boolean(now) && now !== before
      })
    },
    async powerOff({ hard = false } = {}) {
      if (hard) await monitor(folder, 'quit')
      else await askSystemd(attempt, 'poweroff')
      const handle = (await readState(sandbox))?.daemons[name]?.['qemu']
      await until(`${name}: power off`, 120, async () => !handle || !(await isRunning(handle)))
    },
    async powerOn() {
      const state = await readState(sandbox)
      if (!state) throw new Error(`sandbox ${sandbox} is gone`)
      await restartDaemons(state, [{ machine: name, component: 'qemu' }])
      await waitUntilUp()
    },
    waitUntilUp,
    async importImage(archive) {
      await exec(['ctr', '--namespace', 'k8s.io', 'images', 'import', hostPath(archive)])
    },
    async setKubeProxy(settings) {
      await exec(['sh', '-c', 'cat >"$0"', kubeProxyFile], { input: kubeProxy(name, settings) })
      await unit('restart', 'kube-proxy')
    },
  }
}

/** The machine may be gone before the command is through. */
const askSystemd = async (attempt: VmNode['attempt'], verb: string): Promise<void> => {
  await attempt(['systemctl', '--no-block', verb], { timeoutMs: 30_000 }).catch(() => {})
}

/** Gives QEMU itself an order. */
function monitor(folder: string, order: 'system_reset' | 'quit'): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(monitorSocket(folder))
    let said = ''
    socket.on('connect', () => {
      for (const execute of ['qmp_capabilities', order]) socket.write(`${JSON.stringify({ execute })}\n`)
    })
    socket.on('data', chunk => {
      said += chunk
      // The greeting has no return; both orders have one, unless QEMU has ended already.
      if (said.split('"return"').length > 2) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
}
