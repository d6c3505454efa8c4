import { readFile } from 'node:fs/promises'
import { getText, until } from './api.ts'
import { daemonCommands } from './cluster.ts'
import { accessOf } from './kubeconfig.ts'
import { isRunning, startDaemon } from './machine.ts'
import { kubeconfigFile } from './paths.ts'
import { planSandbox } from './plan.ts'
import { machineOf, type State, writeState } from './state.ts'

export interface Health {
  /** Every machine is there. */
  alive: boolean
  /** Daemons that have ended. */
  stopped: { cluster: string; component: string }[]
}

export async function checkHealth(state: State): Promise<Health> {
  const holders = await Promise.all(Object.values(state.holders).map(isRunning))
  const daemons = await Promise.all(
    Object.entries(state.daemons).flatMap(([cluster, components]) =>
      Object.entries(components).map(async ([component, handle]) => ({
        cluster,
        component,
        runs: await isRunning(handle),
      })),
    ),
  )
  return {
    alive: holders.length > 0 && holders.every(Boolean),
    stopped: daemons.filter(({ runs }) => !runs).map(({ cluster, component }) => ({ cluster, component })),
  }
}

/** Starts ended daemons again, as they were started first. */
export async function restartDaemons(state: State, stopped: Health['stopped']): Promise<void> {
  const { clusters } = planSandbox(state.name, state.slot, state.shape)
  for (const { cluster, component } of stopped) {
    const plan = clusters.find(({ name }) => name === cluster)
    const command = plan && daemonCommands(plan)[component]
    const daemons = state.daemons[cluster]
    if (!command || !daemons) throw new Error(`no component ${component} in ${cluster}`)
    daemons[component] = await startDaemon(machineOf(state, cluster), component, command)
  }
  await writeState(state)
}

/** Waits until the API servers of these clusters answer. */
export async function awaitApis(state: State, clusters: Set<string>): Promise<void> {
  const text = await readFile(kubeconfigFile(state.name), 'utf8')
  for (const cluster of clusters)
    await until(`${cluster}: API server`, 60, async () => (await getText(accessOf(text, cluster), '/readyz')) === 'ok')
}
