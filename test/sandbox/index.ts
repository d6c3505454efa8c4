import { join } from 'node:path'
import { env } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt, type RunOptions, type RunResult, run } from '../setup/run.ts'
import { breakApiServer, healApiServer } from './api-server.ts'
import { restartDaemons } from './health.ts'
import { fileIn, isRunning, type Machine, runIn, runInNetwork } from './machine.ts'
import { engineSocket, kubeconfigFile, sandboxDir } from './paths.ts'
import { type ClusterPlan, type MachinePlan, planSandbox } from './plan.ts'
import { machineOf, readState, type State, sandboxNames } from './state.ts'
import { type VmNode, vmNodeOf } from './vm-node.ts'

/** A running sandbox. */
export interface Sandbox {
  name: string
  /** Its folder; root's own. */
  dir: string
  /** Path of a kubeconfig with every context: host, karmada, member1, ... */
  kubeconfig: string
  /** Path of a kubeconfig with hosts and Karmada only: what an administrator has who cannot reach the members. */
  hubKubeconfig: string
  /** Folder of kubectl, karmadactl, etcdctl, krew and the rest. */
  bin: string
  sites: Site[]
  /** The first host cluster. Throws when there is none. */
  readonly host: Site
  /** A member by name. Throws when there is none. */
  member(name: string): Site
  /** Machines for etcd: etcd1, etcd2, ... */
  machines: EngineMachine[]
  /** One by name. Throws when there is none. */
  machine(name: string): EngineMachine
  /** The first host's API servers, from 1. Throws when there are fewer. */
  apiServer(number: number): ApiServer
  /** A node in a virtual machine: vm1, vm2, ... Throws when there is none. */
  vm(name: string): VmNode
  /** Runs a program outside the machines, with `bin` on the PATH and KUBECONFIG set. Throws `CommandError`. */
  exec(command: string[], options?: RunOptions): Promise<RunResult>
  /** As `exec`, but any exit code is an answer. */
  attempt(command: string[], options?: RunOptions): Promise<RunResult>
}

/** One machine of the sandbox. */
export interface Computer {
  name: string
  address: string
  /** Runs a program in the machine, as its engineer would. A cluster's own has KUBECONFIG set. Throws `CommandError`. */
  exec(command: string[], options?: RunOptions): Promise<RunResult>
  /** A file of the machine as this process sees it: /etc, /var/lib, /run and /tmp are the machine's own. */
  path(path: string): string
  /** Ends a daemon (kube-apiserver, kubelet, containerd, docker, ...) and waits for its end. Default signal: SIGKILL. */
  stop(component: string, signal?: NodeJS.Signals): Promise<void>
  /** Starts a daemon that has ended. It may not be ready yet. */
  start(component: string): Promise<void>
  /** Every packet between the machine and the others is lost, silently, until `reconnect`. The administrator's line stays. */
  disconnect(): Promise<void>
  reconnect(): Promise<void>
}

/** One cluster of one node, and the machine that it runs on. */
export interface Site extends Computer, Pick<ClusterPlan, 'role' | 'adminAddress'> {}

/** A machine without Kubernetes. */
export interface EngineMachine extends Computer {
  /** Its Docker engine, as `docker -H` wants it. */
  docker: string
}

/** One API server of the first host. Faults are for clients on other machines. */
export interface ApiServer {
  name: string
  address: string
  /** Ends it (SIGTERM: it drains first) and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again. It may not be ready yet. */
  start(): Promise<void>
  /** It keeps its connections and answers nothing, until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Every packet to and from it is lost, until `heal`. */
  blackHole(): Promise<void>
  /** Its port is closed, until `heal`. */
  refuse(): Promise<void>
  heal(): Promise<void>
}

/** Throws when no such sandbox is up. Default name: `KARMADA_NET_SANDBOX`, else `default`. */
export async function openSandbox(name = env['KARMADA_NET_SANDBOX'] || 'default'): Promise<Sandbox> {
  const state = await readState(name)
  if (state?.status !== 'up') {
    const names = await sandboxNames()
    throw new Error(
      `sandbox ${name} is not up: npm run sandbox -- up --name ${name}${names.length ? ` (there are: ${names.join(', ')})` : ''}`,
    )
  }
  const plan = planSandbox(name, state.slot, state.shape)
  const sites = plan.clusters.map(cluster => siteOf(cluster, state))
  const machines = plan.machines.map(machine => engineMachineOf(machine, state))
  const kubeconfig = kubeconfigFile(name)
  const inSandbox = (options: RunOptions = {}): RunOptions => ({
    ...options,
    env: {
      PATH: `${state.bin}:${env['PATH']}`,
      KUBECONFIG: kubeconfig,
      KUBECACHEDIR: join(sandboxDir(name), 'kube-cache'),
      ...options.env,
    },
  })
  return {
    name,
    dir: sandboxDir(name),
    kubeconfig,
    hubKubeconfig: kubeconfigFile(name, 'hub'),
    bin: state.bin,
    sites,
    get host() {
      const [first] = sites
      if (!first) throw new Error(`sandbox ${name} has no host`)
      return first
    },
    member(wanted) {
      const found = sites.find(site => site.name === wanted && site.role !== 'host')
      if (!found) throw new Error(`sandbox ${name} has no member ${wanted}`)
      return found
    },
    machines,
    machine(wanted) {
      const found = machines.find(machine => machine.name === wanted)
      if (!found) throw new Error(`sandbox ${name} has no machine ${wanted}`)
      return found
    },
    apiServer(number) {
      const [host] = plan.clusters
      const found = number === 1 ? host : plan.apiServers[number - 2]
      if (!found) throw new Error(`sandbox ${name} has no API server ${number}`)
      return apiServerOf(found, state)
    },
    vm(wanted) {
      const found = plan.vms.find(vm => vm.name === wanted)
      if (!found) throw new Error(`sandbox ${name} has no virtual machine ${wanted}`)
      return vmNodeOf(found, name)
    },
    exec: (command, options) => run(command, inSandbox(options)),
    attempt: (command, options) => attempt(command, inSandbox(options)),
  }
}

const siteOf = (plan: ClusterPlan, state: State): Site => ({
  ...computerOf(plan, state, { KUBECONFIG: '/etc/kubernetes/admin.conf' }),
  role: plan.role,
  adminAddress: plan.adminAddress,
})

const engineMachineOf = (plan: MachinePlan, state: State): EngineMachine => ({
  ...computerOf(plan, state),
  docker: `unix://${engineSocket(state.name, plan.name)}`,
})

function computerOf({ name, address }: MachinePlan, state: State, env: Record<string, string> = {}): Computer {
  const machine = machineOf(state, name)
  return {
    name,
    address,
    exec: (command, options) => runIn(machine, command, { ...options, env: { ...env, ...options?.env } }),
    path: path => fileIn(machine, path),
    stop: (component, signal = 'SIGKILL') => stopDaemon(state.name, name, component, signal),
    start: component => startDaemonAgain(state.name, name, component),
    disconnect: () => cut(machine),
    reconnect: async () => {
      await runInNetwork(machine, ['nft', 'delete', 'table', 'ip', cutTable])
    },
  }
}

const apiServerOf = (plan: MachinePlan, state: State): ApiServer => {
  const { stop, start } = computerOf(plan, state)
  const machine = machineOf(state, plan.name)
  const component = 'kube-apiserver'
  return {
    name: plan.name,
    address: plan.address,
    stop: (signal = 'SIGTERM') => stop(component, signal),
    start: () => start(component),
    pause: () => signalDaemon(state.name, plan.name, component, 'SIGSTOP'),
    resume: () => signalDaemon(state.name, plan.name, component, 'SIGCONT'),
    blackHole: () => breakApiServer(machine, 'blackHole'),
    refuse: () => breakApiServer(machine, 'refuse'),
    heal: () => healApiServer(machine),
  }
}

async function signalDaemon(
  sandbox: string,
  machine: string,
  component: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const handle = (await readState(sandbox))?.daemons[machine]?.[component]
  if (!handle || !(await isRunning(handle))) throw new Error(`${component} of ${machine} does not run`)
  process.kill(handle.pid, signal)
}

async function stopDaemon(sandbox: string, machine: string, component: string, signal: NodeJS.Signals): Promise<void> {
  const handle = (await readState(sandbox))?.daemons[machine]?.[component]
  if (!handle) throw new Error(`no component ${component} in ${machine}`)
  if (!(await isRunning(handle))) return
  process.kill(handle.pid, signal)
  for (let tries = 0; await isRunning(handle); tries++) {
    if (tries > 600) throw new Error(`${component} of ${machine} does not end`)
    await sleep(50)
  }
}

async function startDaemonAgain(sandbox: string, machine: string, component: string): Promise<void> {
  const state = await readState(sandbox)
  if (!state) throw new Error(`sandbox ${sandbox} is gone`)
  await restartDaemons(state, [{ machine, component }])
}

const cutTable = 'karmada-net-cut'

async function cut(machine: Machine): Promise<void> {
  await runInNetwork(machine, ['nft', '-f', '-'], {
    input: `table ip ${cutTable} {
  chain in { type filter hook prerouting priority -310; iifname "eth0" drop; }
  chain out { type filter hook postrouting priority 310; oifname "eth0" drop; }
}
`,
  })
}
