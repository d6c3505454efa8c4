import { readFile } from 'node:fs/promises'
import { getText, until } from './api.ts'
import { daemonCommands } from './cluster.ts'
import { otherApiServer } from './control-plane.ts'
import { awaitEngine, engineCommands } from './engine.ts'
import { type Access, accessOf } from './kubeconfig.ts'
import { isRunning, startDaemon } from './machine.ts'
import { kubeconfigFile } from './paths.ts'
import { apiPort, planSandbox, type SandboxPlan } from './plan.ts'
import { hubName, machineOf, type State, writeState } from './state.ts'
import { awaitVmNode, startVm } from './vm.ts'

export interface Health {
  /** Every machine is there. */
  alive: boolean
  /** Daemons that have ended. */
  stopped: { machine: string; component: string }[]
}

export async function checkHealth(state: State): Promise<Health> {
  const holders = await Promise.all(Object.values(state.holders).map(isRunning))
  const daemons = await Promise.all(
    Object.entries(state.daemons).flatMap(([machine, components]) =>
      Object.entries(components).map(async ([component, handle]) => ({
        machine,
        component,
        runs: await isRunning(handle),
      })),
    ),
  )
  return {
    alive: holders.length > 0 && holders.every(Boolean),
    stopped: daemons.filter(({ runs }) => !runs).map(({ machine, component }) => ({ machine, component })),
  }
}

/** Starts ended daemons again, as they were started first. */
export async function restartDaemons(state: State, stopped: Health['stopped']): Promise<void> {
  const plan = planSandbox(state.name, state.slot, state.shape)
  for (const { machine, component } of stopped) {
    const daemons = state.daemons[machine]
    const vm = plan.vms.find(({ name }) => name === machine)
    const command = commandsOf(plan, machine)[component]
    if (!daemons || (!vm && !command)) throw new Error(`no component ${component} in ${machine}`)
    daemons[component] = vm
      ? await startVm(plan, machineOf(state, hubName), vm, state.bin)
      : await startDaemon(machineOf(state, machine), component, command ?? [])
  }
  await writeState(state)
}

function commandsOf(plan: SandboxPlan, machine: string): Record<string, string[]> {
  const cluster = plan.clusters.find(({ name }) => name === machine)
  if (cluster) return daemonCommands(cluster)
  const apiServer = plan.apiServers.find(({ name }) => name === machine)
  const [host] = plan.clusters
  return apiServer && host ? otherApiServer(host, apiServer) : engineCommands(plan.name, machine)
}

/** Waits until what these machines serve answers: an API server or a Docker engine. */
export async function awaitAnswers(state: State, machines: Set<string>): Promise<void> {
  const text = await readFile(kubeconfigFile(state.name), 'utf8')
  const { clusters, apiServers, vms } = planSandbox(state.name, state.slot, state.shape)
  const ready = (machine: string, access: Access) =>
    until(`${machine}: API server`, 60, async () => (await getText(access, '/readyz')) === 'ok')
  for (const machine of machines) {
    const apiServer = apiServers.find(({ name }) => name === machine)
    if (clusters.some(({ name }) => name === machine)) await ready(machine, accessOf(text, machine))
    else if (apiServer)
      await ready(machine, { ...accessOf(text, 'host'), server: `https://${apiServer.address}:${apiPort}` })
    else if (vms.some(({ name }) => name === machine)) await awaitVmNode(machine, accessOf(text, 'host'))
    else await awaitEngine(state.name, machine)
  }
}
