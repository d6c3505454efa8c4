import type { RunResult } from '../setup/run.ts'
import type { Vm } from './boot.ts'
import type { VmRunOptions } from './exec.ts'

/** Machines on one network: network namespaces of a virtual machine. */
export interface Segment {
  /** Runs a program on one of them. Throws `CommandError`. */
  exec(machine: string, command: string[], options?: VmRunOptions): Promise<RunResult>
  /** As `exec`, but any exit code is an answer. */
  attempt(machine: string, command: string[], options?: VmRunOptions): Promise<RunResult>
  /** Starts a program that goes on until the virtual machine ends; what it says is in its /run/MACHINE.log. */
  start(machine: string, command: string[]): Promise<void>
}

/** Makes a switch and machines on it, each with an interface eth0 and these addresses (with prefix lengths; IPv4, IPv6 or both). */
export async function makeSegment(vm: Vm, name: string, machines: Record<string, string[]>): Promise<Segment> {
  await vm.exec(['sh', '-ec', segmentScript(name, machines)])
  const inside = (machine: string, command: string[]) => ['nsenter', `--net=/run/netns/${machine}`, '--', ...command]
  const start = 'setsid -f "$@" >>"$0" 2>&1 </dev/null'
  return {
    exec: (machine, command, options) => vm.exec(inside(machine, command), options),
    attempt: (machine, command, options) => vm.attempt(inside(machine, command), options),
    async start(machine, command) {
      await vm.exec(inside(machine, ['sh', '-c', start, `/run/${machine}.log`, ...command]))
    },
  }
}

/** Pure. */
function segmentScript(name: string, machines: Record<string, string[]>): string {
  const machineLines = Object.entries(machines).flatMap(([machine, addresses]) => [
    `netns add ${machine}`,
    `link add ${machine} type veth peer name eth0 netns ${machine}`,
    `link set ${machine} master ${name} up`,
    `-n ${machine} link set lo up`,
    `-n ${machine} link set eth0 up`,
    ...addresses.map(address => `-n ${machine} addr add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`),
  ])
  return [`link add ${name} type bridge`, `link set ${name} up`, ...machineLines].map(line => `ip ${line}\n`).join('')
}
