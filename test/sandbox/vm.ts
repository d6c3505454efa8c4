import { randomUUID } from 'node:crypto'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createReport } from '../setup/report.ts'
import { run } from '../setup/run.ts'
import { ensureVmParts } from '../vm/parts.ts'
import { qemuCommand, type VmSpec } from '../vm/qemu.ts'
import { get, hasCondition, until } from './api.ts'
import type { Access } from './kubeconfig.ts'
import { fileIn, type Machine, type ProcessHandle, startBeside } from './machine.ts'
import { containerdCommand, nodeCommands, nodeFiles } from './node.ts'
import { machineDir } from './paths.ts'
import { writeNodePki } from './pki.ts'
import { type ClusterPlan, hostsPrefix, type SandboxPlan, type VmPlan } from './plan.ts'
import { masked, nodeUnits } from './units.ts'

/** Where a virtual machine's sockets, console and disk are. */
export const vmFolder = (sandbox: string, name: string): string => machineDir(sandbox, name)
const seedFolder = (sandbox: string, name: string): string => join(vmFolder(sandbox, name), 'seed')
const diskFile = (sandbox: string, name: string): string => join(vmFolder(sandbox, name), 'disk.img')

/** Everything of a virtual machine that is there before it is switched on: its disk, and what its first boot puts there. */
export async function prepareVm(
  sandbox: string,
  vm: VmPlan,
  host: { plan: ClusterPlan; machine: Machine },
  baseDisk: string,
): Promise<void> {
  const seed = seedFolder(sandbox, vm.name)
  const etc = join(seed, 'upper/etc')
  const write = async (path: string, content: string) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  await writeNodePki(fileIn(host.machine, '/etc/kubernetes'), join(etc, 'kubernetes'), host.plan, vm)
  const settings = { name: vm.name, podNetwork: vm.podNetwork, cgroupRoot: '/', proxy: { mode: 'nftables' as const } }
  const files = { ...nodeFiles(settings), ...ownFiles(vm.name) }
  for (const [path, content] of Object.entries(files)) await write(join(seed, 'upper', path), content)
  await mkdir(join(etc, 'kubernetes/manifests'), { recursive: true })
  const { kubelet, 'kube-proxy': kubeProxy } = nodeCommands(vm)
  const units = nodeUnits({ containerd: ['/usr/bin/containerd', ...containerdCommand.slice(1)], kubelet, kubeProxy })
  for (const [name, content] of Object.entries(units.files)) await write(join(seed, 'systemd', name), content)
  for (const [name, target] of Object.entries({ ...units.links, ...masked.units }))
    await link(join(seed, 'systemd', name), target)
  for (const name of masked.generators) await link(join(etc, 'systemd/system-generators', name), '/dev/null')
  await run(['cp', '--sparse=always', '--reflink=auto', baseDisk, diskFile(sandbox, vm.name)])
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  await symlink(target, path)
}

const ownFiles = (name: string): Record<string, string> => ({
  '/etc/hostname': `${name}\n`,
  '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost\n`,
  '/etc/resolv.conf': 'nameserver 127.0.0.1\n',
  // A machine without an id takes every start for its first, and goes through all its services.
  '/etc/machine-id': `${randomUUID().replaceAll('-', '')}\n`,
  '/etc/fstab': '',
  // Shims of containers outlive SIGTERM: a shutdown would wait for them for 90 s.
  '/etc/systemd/system.conf.d/karmada-net-tests.conf': '[Manager]\nDefaultTimeoutStopSec=10s\n',
})

/** Switches a virtual machine on. */
export async function startVm(plan: SandboxPlan, hub: Machine, vm: VmPlan, bin: string): Promise<ProcessHandle> {
  const folder = vmFolder(plan.name, vm.name)
  const spec: VmSpec = {
    name: vm.name,
    folder,
    memoryMiB: 2048,
    cpus: 2,
    bin,
    disk: diskFile(plan.name, vm.name),
    seed: seedFolder(plan.name, vm.name),
    network: {
      tap: vm.name,
      mac: `52:54:00:13:${hex(plan.slot)}:${hex(Number(vm.address.split('.').at(-1)))}`,
      address: `${vm.address}/${hostsPrefix}`,
      gateway: plan.gateway,
    },
    init: 'systemd',
  }
  const parts = await ensureVmParts(createReport({ write: () => {} }))
  return startBeside(hub, vm.name, 'qemu', qemuCommand(spec, parts))
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

export const awaitVmNode = (vm: string, access: Access): Promise<void> =>
  until(`${vm}: node`, 300, async () => hasCondition(await get(access, `/api/v1/nodes/${vm}`), 'Ready'))
