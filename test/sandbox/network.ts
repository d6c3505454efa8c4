import { attempt, run } from '../setup/run.ts'
import { type Machine, runInNetwork } from './machine.ts'
import {
  adminInterface,
  type ClusterPlan,
  hostsPrefix,
  type MachinePlan,
  memberNode,
  nodePodNetwork,
  type RouterPlan,
  rootInterface,
  type SandboxPlan,
  serviceNetwork,
  type VmPlan,
} from './plan.ts'

/**
 * The switch that all machines of the hosts' network are plugged into, and the root namespace with it. It is their default gateway
 * and routes nothing: whoever dials a pull member's own address waits until the timeout, as behind a real firewall.
 */
export async function connectRoot(plan: SandboxPlan, hub: Machine): Promise<void> {
  const link = rootInterface(plan.slot)
  await run(['ip', '-batch', '-'], {
    input: lines(
      `link add ${link} type veth peer name root netns ${hub.holder.pid}`,
      `addr add ${plan.rootAddress}/${hostsPrefix} dev ${link}`,
      `link set ${link} up`,
    ),
  })
  await configure(hub, [
    'link set lo up',
    'link add br0 type bridge',
    `addr add ${plan.gateway}/${hostsPrefix} dev br0`,
    'link set br0 up',
    'link set root master br0 up',
  ])
}

/** Removes the root namespace's ends. They go with the machines too, but only when the kernel gets to it. */
export async function disconnectRoot(slot: number): Promise<void> {
  const { stdout } = await run(['ip', '-json', 'link'])
  const names = (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname)
  const own = rootInterface(slot)
  for (const name of names.filter(name => name === own || name.startsWith(`${own}-`)))
    await attempt(['ip', 'link', 'delete', name])
}

/** A machine on the hosts' network. */
export const connectMachine = (plan: SandboxPlan, hub: Machine, machine: Machine, { address }: MachinePlan) =>
  plug(hub, machine, `${address}/${hostsPrefix}`, plan.gateway)

/** A machine with another API server of a host: what that host's pods and Services need is reached through the host. */
export async function connectApiServer(
  plan: SandboxPlan,
  hub: Machine,
  machine: Machine,
  server: MachinePlan,
): Promise<void> {
  await connectMachine(plan, hub, machine, server)
  const [host] = plan.clusters
  await configure(
    machine,
    [nodePodNetwork, serviceNetwork].map(network => `route add ${network} via ${host?.address}`),
  )
}

/** A virtual machine's end of its cable, and the way to its pods for those that talk to them. */
export async function connectVm(hub: Machine, others: Machine[], vm: VmPlan): Promise<void> {
  await configure(hub, [`tuntap add ${vm.name} mode tap`, `link set ${vm.name} master br0 up`])
  for (const machine of others) await configure(machine, [`route replace ${vm.podNetwork} via ${vm.address}`])
}

/** As `connectMachine`, for a cluster's. */
export async function connectHost(
  plan: SandboxPlan,
  hub: Machine,
  machine: Machine,
  cluster: ClusterPlan,
): Promise<void> {
  await connectMachine(plan, hub, machine, cluster)
  await runInNetwork(machine, ['nft', '-f', '-'], { input: noInstantRefusal })
}

/**
 * The images hold Debian's HAProxy 2.6, which takes a whole core for as long as a connection lives whose SYN met a Service without
 * endpoints (haproxy#2491; 3.x gives such a connection up): Linux keeps kube-proxy's ICMP answer queued on the socket. That answer is
 * dropped for the one port that HAProxy dials through a Service (8091, the agents'); the SYN is sent again a second later.
 */
const noInstantRefusal = `table ip karmada-net-host {
  chain out {
    type filter hook output priority 0;
    icmp type destination-unreachable icmp code port-unreachable @th,240,16 8091 drop;
  }
}
`

/**
 * A pull member: its machine on a network of its own behind a router that masquerades what goes out and lets nothing in,
 * and one line from the root namespace for the engineer on site. The hosts cannot use that line.
 */
export async function connectPull(
  plan: SandboxPlan,
  hub: Machine,
  router: Machine,
  machine: Machine,
  cluster: ClusterPlan & { router: RouterPlan },
): Promise<void> {
  await plug(hub, router, cluster.router.outside, plan.gateway)
  await configure(router, [
    `link add lan type veth peer name eth0 netns ${machine.holder.pid}`,
    `addr add ${cluster.router.inside} dev lan`,
    'link set lan up',
  ])
  await forwarding(router)
  await runInNetwork(router, ['nft', '-f', '-'], { input: oneWay })
  await configure(machine, [
    'link set lo up',
    `addr add ${memberNode}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${cluster.router.inside.replace(/\/.*/, '')}`,
  ])
  await forwarding(machine)
  await connectAdmin(plan, machine, cluster)
}

async function connectAdmin(
  plan: SandboxPlan,
  machine: Machine,
  cluster: ClusterPlan & { router: RouterPlan },
): Promise<void> {
  const link = adminInterface(plan.slot, cluster)
  const { adminPeer } = cluster.router
  await run(['ip', '-batch', '-'], {
    input: lines(
      `link add ${link} type veth peer name admin netns ${machine.holder.pid}`,
      `addr add ${adminPeer}/31 dev ${link}`,
      `link set ${link} up`,
    ),
  })
  await configure(machine, [`addr add ${cluster.adminAddress}/31 dev admin`, 'link set admin up'])
  await runInNetwork(machine, ['nft', '-f', '-'], {
    input: `table ip karmada-net-site {
  chain in { type filter hook prerouting priority -300; iifname "admin" ip saddr != ${adminPeer} drop; }
}
`,
  })
}

const oneWay = `table ip karmada-net-router {
  chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
  chain through { type filter hook forward priority 0; ct state established,related accept; iifname "eth0" drop; }
  chain in { type filter hook input priority 0; iifname "eth0" ct state established,related accept; iifname "eth0" meta l4proto { tcp, udp } drop; }
}
`

async function plug(hub: Machine, machine: Machine, address: string, gateway: string): Promise<void> {
  await configure(hub, [
    `link add ${machine.name} type veth peer name eth0 netns ${machine.holder.pid}`,
    `link set ${machine.name} master br0 up`,
  ])
  await configure(machine, [
    'link set lo up',
    `addr add ${address} dev eth0`,
    'link set eth0 up',
    `route add default via ${gateway}`,
  ])
  await forwarding(machine)
}

const configure = (machine: Machine, commands: string[]) =>
  runInNetwork(machine, ['ip', '-batch', '-'], { input: lines(...commands) })

const forwarding = (machine: Machine) => runInNetwork(machine, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])

const lines = (...commands: string[]): string => `${commands.join('\n')}\n`
