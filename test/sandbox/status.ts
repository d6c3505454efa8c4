import { readFile } from 'node:fs/promises'
import { run } from '../setup/run.ts'
import { get, getText, hasCondition, type WithConditions } from './api.ts'
import { docker } from './engine.ts'
import { checkHealth } from './health.ts'
import { type Access, accessOf, contextNames } from './kubeconfig.ts'
import { engineSocket, kubeconfigFile } from './paths.ts'
import { apiPort, type MachinePlan, planSandbox } from './plan.ts'
import { readState, type State } from './state.ts'

interface List<T> {
  items: T[]
}

const roles = { host: 'host', pull: 'member (pull)', push: 'member (push)' }

/** Tables of a sandbox's clusters and control planes, and of its machines for etcd, as they are now. */
export async function statusTable(name: string): Promise<string> {
  const state = await readState(name)
  if (!state) return `No sandbox ${name}: npm run sandbox -- up${name === 'default' ? '' : ` --name ${name}`}\n`
  if (state.status !== 'up') return `Sandbox ${name} is half made: "up" makes it anew, "down" removes it.\n`
  const text = await readFile(kubeconfigFile(name), 'utf8')
  const contexts = contextNames(text).map(context => ({ context, access: accessOf(text, context) }))
  const karmada = contexts.find(({ context }) => context === 'karmada')?.access
  const joined = karmada ? await clustersOf(karmada).catch(() => undefined) : undefined
  const rows = await Promise.all(contexts.map(({ context, access }) => row(context, access, state, joined)))
  const plan = planSandbox(name, state.slot, state.shape)
  const machines = await Promise.all(plan.machines.map(machine => machineRow(name, machine)))
  const parts = await Promise.all([
    ...plan.apiServers.map(server => apiServerRow(accessOf(text, 'host'), server)),
    ...plan.vms.map(vm => vmRow(accessOf(text, 'host'), vm)),
  ])
  const { stopped } = await checkHealth(state)
  return [
    rows.length > 0 ? table([['CONTEXT', 'ROLE', 'NODE', 'PODS', 'KARMADA', 'API'], ...rows]) : '',
    parts.length > 0 ? table([['PART OF HOST', 'ADDRESS', 'STATE'], ...parts]) : '',
    machines.length > 0 ? table([['MACHINE', 'ADDRESS', 'CONTAINERS', 'DOCKER'], ...machines]) : '',
    ...stopped.map(({ machine, component }) => `${component} of ${machine} has stopped: "up" starts it again\n`),
  ].join('')
}

async function row(context: string, access: Access, state: State, joined?: Map<string, boolean>): Promise<string[]> {
  const plan = planSandbox(state.name, state.slot, state.shape).clusters.find(cluster => cluster.name === context)
  const role = plan ? roles[plan.role] : 'control plane'
  try {
    await getText(access, '/readyz')
    const [node, pods] = plan ? await Promise.all([nodeState(access, context), podCount(access)]) : ['-', '-']
    const ready = joined?.get(context)
    return [context, role, node, pods, ready === undefined ? '-' : ready ? 'Ready' : 'NotReady', access.server]
  } catch (error) {
    return [context, role, '-', '-', '-', `${access.server} (${error instanceof Error ? error.message : error})`]
  }
}

async function apiServerRow(host: Access, { name, address }: MachinePlan): Promise<string[]> {
  const answer = await getText({ ...host, server: `https://${address}:${apiPort}` }, '/readyz').catch(() => 'no answer')
  return [`${name}, API server`, address, answer]
}

const vmRow = async (host: Access, { name, address }: MachinePlan): Promise<string[]> => [
  `${name}, virtual node`,
  address,
  await nodeState(host, name).catch(() => 'no answer'),
]

async function machineRow(sandbox: string, { name, address }: MachinePlan): Promise<string[]> {
  const containers = await run(docker(sandbox, name, 'ps', '--quiet')).then(
    ({ stdout }) => `${stdout.split('\n').filter(Boolean).length} running`,
    () => 'no answer',
  )
  return [name, address, containers, `unix://${engineSocket(sandbox, name)}`]
}

const nodeState = async (access: Access, node: string): Promise<string> =>
  hasCondition(await get<WithConditions>(access, `/api/v1/nodes/${node}`), 'Ready') ? 'Ready' : 'NotReady'

async function podCount(access: Access): Promise<string> {
  const { items } = await get<List<WithConditions>>(access, '/api/v1/pods')
  return `${items.filter(pod => hasCondition(pod, 'Ready')).length}/${items.length}`
}

async function clustersOf(karmada: Access): Promise<Map<string, boolean>> {
  const { items } = await get<List<WithConditions & { metadata: { name: string } }>>(
    karmada,
    '/apis/cluster.karmada.io/v1alpha1/clusters',
  )
  return new Map(items.map(item => [item.metadata.name, hasCondition(item, 'Ready')]))
}

/** Columns three spaces apart, as kubectl prints them. */
function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(cells => cells[column]?.length ?? 0)))
  return rows
    .map(
      cells =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('')
}
