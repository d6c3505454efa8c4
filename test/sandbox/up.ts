import { readFile, writeFile } from 'node:fs/promises'
import { type Parts, prepare } from '../setup/prepare.ts'
import type { Report } from '../setup/report.ts'
import { createCgroups } from './cgroups.ts'
import { startCluster } from './cluster.ts'
import { destroy } from './down.ts'
import { startEngine } from './engine.ts'
import { extendHost, prepareVms } from './extend.ts'
import { awaitAnswers, checkHealth, restartDaemons } from './health.ts'
import { bringOwnImage, renewImages } from './images.ts'
import { installKarmada, joinMember, registerMember, waitForMember } from './karmada.ts'
import { prepareKernel } from './kernel.ts'
import { type Access, accessOf, contextNames, kubeconfig } from './kubeconfig.ts'
import { type Machine, startMachine, startNetwork } from './machine.ts'
import { connectHost, connectMachine, connectPull, connectRoot } from './network.ts'
import { kubeconfigFile } from './paths.ts'
import { type ClusterPlan, type MachinePlan, planSandbox, type SandboxPlan, type Shape } from './plan.ts'
import { claimSlot, hubName, lockSandbox, lockShared, machineOf, readState, type State, writeState } from './state.ts'

/**
 * Makes a sandbox as asked. A healthy one of at least that shape stays as it is; one that lacks clusters or machines gets them;
 * one that an earlier `up` left half made, or that did not outlive a restart of the machine, is made anew.
 */
export async function up(name: string, shape: Shape, report: Report): Promise<'changed' | 'unchanged'> {
  await using _lock = await lockSandbox(name)
  const state = await usableState(name, report)
  if (!state) {
    await build(await newState(name, shape, report), report)
    return 'changed'
  }
  const wanted = union(state.shape, shape)
  const { stopped } = await checkHealth(state)
  if (stopped.length > 0)
    await report.step('Start what had stopped', async () => {
      await restartDaemons(state, stopped)
      await awaitAnswers(state, new Set(stopped.map(({ machine }) => machine)))
      return stopped.map(({ machine, component }) => `${component} of ${machine}`).join(', ')
    })
  await renewImages(state, await prepare(report), report)
  await bringOwnImage(state, report)
  const { clusters, machines, apiServers, vms } = planSandbox(name, state.slot, wanted)
  const there = [...clusters, ...machines, ...apiServers, ...vms].every(({ name }) => state.daemons[name])
  if (there && wanted.vip === state.shape.vip) return stopped.length > 0 ? 'changed' : 'unchanged'
  await build({ ...state, shape: wanted }, report)
  return 'changed'
}

/** The state of a sandbox that can be kept; one that cannot be is taken down. */
async function usableState(name: string, report: Report): Promise<State | undefined> {
  const state = await readState(name)
  if (state?.status === 'up' && (await checkHealth(state)).alive) return state
  // Without a state too: a run that was killed early may have left processes.
  if (state) await report.step('Clear what an earlier run left', () => destroy(name))
  else await destroy(name)
  return undefined
}

async function newState(name: string, shape: Shape, report: Report): Promise<State> {
  const { bin, images } = await prepare(report)
  await using _lock = await lockShared()
  await prepareKernel()
  const slot = await claimSlot(name)
  const state: State = { name, slot, shape, status: 'building', bin, images, holders: {}, daemons: {} }
  await writeState(state)
  return state
}

const union = (one: Shape, other: Shape): Shape => ({
  hosts: Math.max(one.hosts, other.hosts),
  pull: Math.max(one.pull, other.pull),
  push: Math.max(one.push, other.push),
  karmada: one.karmada,
  machines: Math.max(one.machines, other.machines),
  apiServers: Math.max(one.apiServers, other.apiServers),
  vmNodes: Math.max(one.vmNodes, other.vmNodes),
  vip: other.vip ?? one.vip,
})

/** Starts every cluster and machine of the state's shape that is not there yet. */
async function build(state: State, report: Report): Promise<void> {
  const parts = await prepare(report)
  const plan = planSandbox(state.name, state.slot, state.shape)
  const missing = plan.clusters.filter(cluster => !state.daemons[cluster.name])
  const missingMachines = plan.machines.filter(machine => !state.daemons[machine.name])
  await createCgroups(
    state.name,
    [...missing, ...missingMachines].map(({ name }) => name),
  )
  // Before the network, which is quick: what is missing here is downloaded.
  const vmDisk = plan.vms.length > 0 ? await prepareVms(report, parts) : undefined
  await report.step('Network', () => connect(plan, missing, missingMachines, state, parts))
  const access = await readAccess(state)

  // Karmada takes longest: its host goes first, the members start while it waits for its own parts.
  const hosts = missing.filter(cluster => cluster.role === 'host')
  const members = missing.filter(cluster => cluster.role !== 'host')
  const start = (cluster: ClusterPlan) => startOne(cluster, state, parts, access, report)
  await together(hosts.map(start))
  await together([
    extendHost(plan, state, parts, vmDisk, access, report),
    ...hosts.filter(host => host.karmada).map(host => install(host, state, access, report)),
    ...members.map(start),
    ...missingMachines.map(machine => startMachineForEtcd(machine, state, parts, report)),
  ])
  if (state.shape.karmada) await together(members.map(member => connectMember(member, state, access, report)))

  await writeKubeconfigs(plan, state, access)
  state.status = 'up'
  await writeState(state)
  // Last: it is built from the sources, which may be in the middle of a change.
  await bringOwnImage(state, report)
}

/** All of it ends before the first error is thrown: nothing goes on behind a failed `up`. */
async function together(work: Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function connect(
  plan: SandboxPlan,
  missing: ClusterPlan[],
  missingMachines: MachinePlan[],
  state: State,
  { bin }: Parts,
): Promise<void> {
  const keep = (machine: Machine): Machine => {
    state.holders[machine.name] = machine.holder
    return machine
  }
  const first = !state.holders[hubName]
  const hub = first ? keep(await startNetwork(plan.name, hubName, bin)) : machineOf(state, hubName)
  if (first) await connectRoot(plan, hub)
  await together(
    missing.map(async cluster => {
      const machine = keep(await startMachine(plan.name, cluster.name, bin))
      const { router } = cluster
      if (!router) return connectHost(plan, hub, machine, cluster)
      return connectPull(plan, hub, keep(await startNetwork(plan.name, router.name, bin)), machine, {
        ...cluster,
        router,
      })
    }),
  )
  await together(
    missingMachines.map(async machine =>
      connectMachine(plan, hub, keep(await startMachine(plan.name, machine.name, bin)), machine),
    ),
  )
  await writeState(state)
}

async function startOne(
  cluster: ClusterPlan,
  state: State,
  parts: Parts,
  access: Record<string, Access>,
  report: Report,
): Promise<void> {
  await report.step(`Cluster ${cluster.name}`, async () => {
    const running = await startCluster(cluster, machineOf(state, cluster.name), parts)
    access[cluster.name] = running.access
    state.daemons[cluster.name] = running.daemons
    return `${cluster.role === 'pull' ? 'behind its own NAT, ' : ''}${cluster.address}`
  })
}

async function startMachineForEtcd(plan: MachinePlan, state: State, { bin }: Parts, report: Report): Promise<void> {
  await report.step(`Machine ${plan.name}, with a Docker engine`, async () => {
    state.daemons[plan.name] = await startEngine(machineOf(state, plan.name), bin)
    return plan.address
  })
}

async function install(host: ClusterPlan, state: State, access: Record<string, Access>, report: Report): Promise<void> {
  const name = host.karmada ?? ''
  const own = access[host.name]
  if (!own) throw new Error(`${host.name} did not start`)
  await report.step(
    name === 'karmada' ? 'Karmada, by karmadactl init' : `Karmada ${name}, by karmadactl init`,
    async () => {
      access[name] = await installKarmada(host, machineOf(state, host.name), own)
      return access[name].server
    },
  )
}

async function connectMember(
  member: ClusterPlan,
  state: State,
  access: Record<string, Access>,
  report: Report,
): Promise<void> {
  const [karmada, own] = [access['karmada'], access[member.name]]
  if (!karmada || !own) throw new Error(`${member.name} or Karmada did not start`)
  const host = machineOf(state, 'host')
  const verb = member.role === 'pull' ? 'register' : 'join'
  await report.step(`Member ${member.name}, by karmadactl ${verb}`, async () => {
    if (member.role === 'pull') await registerMember(member, machineOf(state, member.name), host)
    else await joinMember(member, own, host)
    await waitForMember(karmada, member.name)
  })
}

/** What an earlier `up` wrote down, by context. */
async function readAccess(state: State): Promise<Record<string, Access>> {
  if (state.status !== 'up') return {}
  const text = await readFile(kubeconfigFile(state.name), 'utf8')
  return Object.fromEntries(contextNames(text).map(name => [name, accessOf(text, name)]))
}

/** One file with every context, and one as an administrator of the hub has it: hosts and Karmada, no member. */
async function writeKubeconfigs(plan: SandboxPlan, state: State, access: Record<string, Access>): Promise<void> {
  const pick = (names: string[]): Record<string, Access> =>
    Object.fromEntries(names.flatMap(name => (access[name] ? [[name, access[name]]] : [])))
  const hosts = plan.clusters.filter(({ role }) => role === 'host')
  const hub = [...hosts.map(({ name }) => name), ...hosts.flatMap(({ karmada }) => karmada ?? [])]
  const members = plan.clusters.filter(({ role }) => role !== 'host').map(({ name }) => name)
  await writeFile(kubeconfigFile(state.name), kubeconfig(pick([...hub, ...members])), { mode: 0o600 })
  await writeFile(kubeconfigFile(state.name, 'hub'), kubeconfig(pick(hub)), { mode: 0o600 })
}
