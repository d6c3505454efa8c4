import type { Parts } from '../setup/prepare.ts'
import type { Report } from '../setup/report.ts'
import { ensureVmParts } from '../vm/parts.ts'
import { startApiServer } from './api-server.ts'
import type { Access } from './kubeconfig.ts'
import { fileIn, type Machine, startMachine } from './machine.ts'
import { connectApiServer, connectVm } from './network.ts'
import { writeServingPair } from './pki.ts'
import { apiNames, type ClusterPlan, type MachinePlan, type SandboxPlan, type VmPlan } from './plan.ts'
import { hubName, machineOf, type State, writeState } from './state.ts'
import { awaitVmNode, prepareVm, startVm } from './vm.ts'
import { ensureVmDisk } from './vm-disk.ts'

/** What virtual machines are made of. Returns the disk that they start from. */
export async function prepareVms(report: Report, { bin }: Parts): Promise<string> {
  await ensureVmParts(report)
  return ensureVmDisk(report, bin)
}

/** Gives the first host its further API servers and its nodes in virtual machines, as far as they are not there yet. */
export async function extendHost(
  plan: SandboxPlan,
  state: State,
  parts: Parts,
  vmDisk: string | undefined,
  access: Record<string, Access>,
  report: Report,
): Promise<void> {
  const [cluster] = plan.clusters
  const own = cluster && access[cluster.name]
  if (cluster?.role !== 'host' || !own) return
  const host = { plan: cluster, machine: machineOf(state, cluster.name), access: own }
  const folder = fileIn(host.machine, '/etc/kubernetes')
  const isThere = ({ name }: MachinePlan) => state.daemons[name] !== undefined
  const missing = <T extends MachinePlan>(machines: T[]) => machines.filter(machine => !isThere(machine))
  // There is one more address now, perhaps.
  if (cluster.otherAddresses) await writeServingPair(folder, folder, apiNames(cluster))
  for (const server of plan.apiServers.filter(isThere))
    await writeServingPair(folder, fileIn(machineOf(state, server.name), '/etc/kubernetes'), apiNames(cluster))
  const started = await Promise.allSettled([
    ...missing(plan.apiServers).map(server => addApiServer(plan, state, parts, host, server, report)),
    ...missing(plan.vms).map(vm => addVm(plan, state, host, vm, vmDisk ?? '', report)),
  ])
  for (const result of started) if (result.status === 'rejected') throw result.reason
}

interface Host {
  plan: ClusterPlan
  machine: Machine
  access: Access
}

async function addApiServer(
  plan: SandboxPlan,
  state: State,
  { bin }: Parts,
  host: Host,
  server: MachinePlan,
  report: Report,
): Promise<void> {
  await report.step(`API server ${server.name}`, async () => {
    const machine = await startMachine(plan.name, server.name, bin)
    state.holders[server.name] = machine.holder
    await writeState(state)
    await connectApiServer(plan, machineOf(state, hubName), machine, server)
    state.daemons[server.name] = await startApiServer(host, server, machine)
    return server.address
  })
}

async function addVm(
  plan: SandboxPlan,
  state: State,
  host: Host,
  vm: VmPlan,
  disk: string,
  report: Report,
): Promise<void> {
  await report.step(`Node ${vm.name}, a virtual machine`, async note => {
    const hub = machineOf(state, hubName)
    await prepareVm(plan.name, vm, host, disk)
    await connectVm(hub, [host.machine], vm)
    state.daemons[vm.name] = { qemu: await startVm(plan, hub, vm, state.bin) }
    note('waits until it is Ready')
    await awaitVmNode(vm.name, host.access)
    return vm.address
  })
}
