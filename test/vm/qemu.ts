import { join } from 'node:path'
import type { VmParts } from './parts.ts'

/** How many commands run in a virtual machine at the same time. */
export const execPorts = 16

export interface VmSpec {
  /** Its host name. */
  name: string
  /** Where its sockets and its console are. */
  folder: string
  memoryMiB: number
  cpus: number
  /** Programs that are on its PATH: a folder of this machine. */
  bin?: string
  /** An ext4 file system for what it writes; without one it is in memory. */
  disk?: string
  /** A folder of this machine that is copied onto the disk by its first boot: upper/ over the root, systemd/ as /etc/systemd/system. */
  seed?: string
  /** On its one network interface; the link is a tap device. */
  network?: { tap: string; mac: string; address: string; gateway: string }
  /** systemd, or nothing but what a test starts. */
  init: 'systemd' | 'plain'
}

export const execSocket = (folder: string, port: number): string => join(folder, `exec${port}.sock`)
export const monitorSocket = (folder: string): string => join(folder, 'monitor.sock')
export const consoleLog = (folder: string): string => join(folder, 'console.log')

/** The command line of a virtual machine. Pure. */
export function qemuCommand(spec: VmSpec, { kernel, initrd, modules }: VmParts): string[] {
  const { folder, disk, network } = spec
  return [
    'qemu-system-x86_64',
    // Without the processor's help: where it offers some to a machine that is itself virtual, it may not be usable.
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off'],
    ...['-m', String(spec.memoryMiB), '-smp', String(spec.cpus)],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-serial', `file:${consoleLog(folder)}`],
    ...['-qmp', `unix:${monitorSocket(folder)},server=on,wait=off`],
    ...['-virtfs', 'local,path=/,mount_tag=host,security_model=passthrough,readonly=on,multidevs=remap'],
    ...['-device', `virtio-serial-pci,max_ports=${execPorts + 1}`],
    ...range(execPorts).flatMap(port => [
      ...['-chardev', `socket,id=exec${port},path=${execSocket(folder, port)},server=on,wait=off`],
      ...['-device', `virtserialport,chardev=exec${port},name=exec.${port}`],
    ]),
    ...(disk ? ['-drive', `file=${disk},format=raw,if=virtio,discard=unmap`] : []),
    ...(network
      ? [
          ...['-netdev', `tap,id=net0,ifname=${network.tap},script=no,downscript=no`],
          ...['-device', `virtio-net-pci,netdev=net0,mac=${network.mac},romfile=`],
        ]
      : []),
    ...['-kernel', kernel, '-initrd', initrd, '-append', kernelParameters(spec, modules)],
  ]
}

/** Those that the kernel does not know are variables of the first process. */
function kernelParameters({ name, bin, seed, network, init }: VmSpec, modules: string): string {
  const variables = {
    KN_NAME: name,
    KN_MODULES: modules,
    KN_BIN: bin,
    KN_SEED: seed,
    KN_ADDRESS: network?.address,
    KN_GATEWAY: network?.gateway,
    KN_INIT: init === 'systemd' ? '/lib/systemd/systemd' : '/run/karmada-net/plain.sh',
  }
  return [
    // A kernel that panics starts again, as on a real machine.
    ...['console=ttyS0', 'quiet', 'panic=-1', 'random.trust_cpu=on', 'net.ifnames=0', 'mitigations=off'],
    ...Object.entries(variables).flatMap(([key, value]) => (value ? [`${key}=${value}`] : [])),
  ].join(' ')
}

const range = (count: number): number[] => [...Array(count).keys()]
