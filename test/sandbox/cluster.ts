import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Parts } from '../setup/prepare.ts'
import { run } from '../setup/run.ts'
import { get, getText, hasCondition, isRolledOut, until } from './api.ts'
import { cgroupOf } from './cgroups.ts'
import { controllers, controlPlane } from './control-plane.ts'
import type { Access } from './kubeconfig.ts'
import { fileIn, type Machine, type ProcessHandle, runIn, startDaemon } from './machine.ts'
import { containerdCommand, type NodeSettings, nodeCommands, nodeFiles } from './node.ts'
import { inside, machineDir } from './paths.ts'
import { writePki } from './pki.ts'
import { type ClusterPlan, nodePodNetwork } from './plan.ts'

export interface RunningCluster {
  access: Access
  /** Its daemons by component. */
  daemons: Record<string, ProcessHandle>
}

/** Every daemon of a cluster: what to run to start it again. */
export const daemonCommands = (plan: ClusterPlan): Record<string, string[]> => ({
  ...controlPlane(plan),
  containerd: containerdCommand,
  ...controllers(),
  ...nodeCommands(plan),
})

/** Starts a cluster of one node in a machine and waits until its API, node and DNS are ready. */
export async function startCluster(plan: ClusterPlan, machine: Machine, parts: Parts): Promise<RunningCluster> {
  const access = await writePki(fileIn(machine, '/etc/kubernetes'), plan)
  const cgroupRoot = cgroupOf(machine.sandbox, plan.name)
  const settings: NodeSettings = {
    name: plan.name,
    podNetwork: nodePodNetwork,
    cgroupRoot,
    proxy: { mode: 'nftables' },
  }
  for (const [path, content] of Object.entries(nodeFiles(settings))) await writeIn(machine, path, content)
  await mkdir(fileIn(machine, '/etc/kubernetes/manifests'), { recursive: true })
  await copyImages(parts.images, join(machineDir(machine.sandbox, machine.name), 'lib/containerd'))

  const daemons: Record<string, ProcessHandle> = {}
  const start = async (commands: Record<string, string[]>) => {
    for (const [component, command] of Object.entries(commands))
      daemons[component] = await startDaemon(machine, component, command)
  }
  await start({ ...controlPlane(plan), containerd: containerdCommand })
  await until(`${plan.name}: API server`, 120, async () => (await getText(access, '/readyz')) === 'ok')
  await start({ ...controllers(), ...nodeCommands(plan) })
  await runIn(machine, ['kubectl', `--kubeconfig=${inside.adminConfig}`, 'apply', '-f', '-'], { input: await dns() })
  await until(`${plan.name}: node`, 120, async () =>
    hasCondition(await get(access, `/api/v1/nodes/${plan.name}`), 'Ready'),
  )
  const deployment = '/apis/apps/v1/namespaces/kube-system/deployments/coredns'
  await until(`${plan.name}: DNS`, 120, async () => isRolledOut(await get(access, deployment)))
  return { access, daemons }
}

const dns = () => readFile(join(import.meta.dirname, 'manifests/coredns.yaml'), 'utf8')

async function writeIn(machine: Machine, path: string, content: string): Promise<void> {
  const file = fileIn(machine, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

/** Hard links where the file system allows it; the databases are written in place and need a copy of their own. */
async function copyImages(store: string, target: string): Promise<void> {
  const source = join(store, 'root')
  const [from, to] = await Promise.all([stat(source), stat(dirname(target))])
  await run(['cp', '-a', ...(from.dev === to.dev ? ['--link'] : []), source, target])
  const { stdout } = await run(['find', target, '-name', '*.db'])
  for (const database of stdout.split('\n').filter(Boolean))
    await run(['cp', '--remove-destination', database.replace(target, source), database])
}
