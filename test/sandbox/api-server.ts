import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { getText, until } from './api.ts'
import { otherApiServer } from './control-plane.ts'
import type { Access } from './kubeconfig.ts'
import { fileIn, type Machine, type ProcessHandle, runInNetwork, startDaemon } from './machine.ts'
import { writeServingPair } from './pki.ts'
import { apiNames, apiPort, type ClusterPlan, type MachinePlan } from './plan.ts'

/** What all API servers of a cluster have in common. */
const shared = [
  ...['ca', 'front-proxy-ca', 'etcd-ca'].map(name => `${name}.crt`),
  ...['apiserver-kubelet-client', 'front-proxy-client', 'etcd-client'].flatMap(name => [`${name}.crt`, `${name}.key`]),
  'sa.key',
  'sa.pub',
]

/** Starts a further API server of a host on a machine of its own, and waits until it answers. */
export async function startApiServer(
  host: { plan: ClusterPlan; machine: Machine; access: Access },
  plan: MachinePlan,
  machine: Machine,
): Promise<Record<string, ProcessHandle>> {
  const [from, to] = [fileIn(host.machine, '/etc/kubernetes'), fileIn(machine, '/etc/kubernetes')]
  await mkdir(join(to, 'pki'), { recursive: true })
  for (const file of shared) await copyFile(join(from, 'pki', file), join(to, 'pki', file))
  await writeServingPair(from, to, apiNames(host.plan))
  const daemons: Record<string, ProcessHandle> = {}
  for (const [component, command] of Object.entries(otherApiServer(host.plan, plan)))
    daemons[component] = await startDaemon(machine, component, command)
  const access = { ...host.access, server: `https://${plan.address}:${apiPort}` }
  await until(`${plan.name}: API server`, 120, async () => (await getText(access, '/readyz')) === 'ok')
  return daemons
}

const table = 'karmada-net-fault'
const faults = {
  /** Nothing comes in or goes out: clients of other machines hang. */
  blackHole: `chain in { type filter hook prerouting priority -310; iifname "eth0" tcp dport ${apiPort} drop; }
  chain out { type filter hook postrouting priority 310; oifname "eth0" tcp sport ${apiPort} drop; }`,
  /** As if no process had the port. */
  refuse: `chain in { type filter hook input priority -310; iifname "eth0" tcp dport ${apiPort} reject with tcp reset; }`,
}
export type ApiServerFault = keyof typeof faults

/** For clients on other machines; the host's own controllers go on. Replaces an earlier one. */
export async function breakApiServer(machine: Machine, fault: ApiServerFault): Promise<void> {
  await runInNetwork(machine, ['nft', '-f', '-'], {
    input: `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n  ${faults[fault]}\n}\n`,
  })
}

export async function healApiServer(machine: Machine): Promise<void> {
  await runInNetwork(machine, ['nft', '-f', '-'], { input: `table inet ${table}\ndelete table inet ${table}\n` })
}
