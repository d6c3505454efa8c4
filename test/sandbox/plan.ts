/** What `up` is asked for. */
export interface Shape {
  /** Host clusters, each with a Karmada of its own unless `karmada` is false. */
  hosts: number
  /** Members in pull mode, each behind its own NAT and one-way firewall. */
  pull: number
  /** Members in push mode, on the hosts' network. */
  push: number
  karmada: boolean
  /** Machines for etcd, on the hosts' network. */
  machines: number
  /** API servers of the first host, on one etcd. */
  apiServers: number
  /** Virtual machines with a kernel of their own that are nodes of the first host. */
  vmNodes: number
  /** A virtual address that the first host's API servers answer to, too. */
  vip?: string | undefined
}

/** Nothing: what a shape is completed from. */
export const emptyShape: Shape = {
  hosts: 0,
  pull: 0,
  push: 0,
  karmada: true,
  machines: 0,
  apiServers: 1,
  vmNodes: 0,
}

export type Role = 'host' | 'pull' | 'push'

/** One cluster of one node. Addresses are IPv4, networks in CIDR notation. */
export interface ClusterPlan {
  /** Context, machine, node and (for members) Karmada's Cluster: all have this name. */
  name: string
  role: Role
  /** The node's address; every pull member has the same one. */
  address: string
  /** The address the root namespace uses; for a pull member its own line in, for the others `address`. */
  adminAddress: string
  /** How a pull member reaches the world. */
  router?: RouterPlan
  /** The context of the Karmada that runs here. */
  karmada?: string
  /** Addresses of its other API servers, and a virtual one. */
  otherAddresses?: string[]
}

export interface RouterPlan {
  name: string
  /** On the hosts' network, with its prefix length. */
  outside: string
  /** On the member's network, with its prefix length. */
  inside: string
  /** The root namespace's end of the line to the member, a /31. */
  adminPeer: string
}

/** A machine without Kubernetes: it has a Docker engine. */
export interface MachinePlan {
  name: string
  address: string
}

/** A node of the first host in a virtual machine. */
export interface VmPlan extends MachinePlan {
  podNetwork: string
}

export interface SandboxPlan {
  name: string
  /** The third byte of its addresses, and part of its interfaces' names. */
  slot: number
  /** The bridge's address: default gateway of the hosts' network. */
  gateway: string
  /** The root namespace's address on the hosts' network. */
  rootAddress: string
  clusters: ClusterPlan[]
  machines: MachinePlan[]
  /** Of the first host, beyond the one on its own machine. */
  apiServers: MachinePlan[]
  vms: VmPlan[]
}

/** Prefix length of the hosts' network. */
export const hostsPrefix = 25

/** In every cluster alike: overlapping networks are the normal case. */
export const podNetwork = '10.244.0.0/16'
export const nodePodNetwork = '10.244.0.0/24'
export const serviceNetwork = '10.96.0.0/16'
const apiService = '10.96.0.1'
export const dnsService = '10.96.0.10'
export const memberNode = '192.168.1.10'
const memberGateway = '192.168.1.1'

export const apiPort = 6443
export const karmadaPort = 32443
export const slots = { first: 1, last: 254 }
export const limits = { hosts: 8, pull: 32, push: 16, machines: 16, apiServers: 5, vmNodes: 4 }

/**
 * Names and addresses of a sandbox. Pure. The /24 of a slot lies in the range set aside for tests of network devices (RFC 2544),
 * which nothing else on a machine should use; its lower half is the hosts' network, its upper half the lines to pull members.
 */
export function planSandbox(name: string, slot: number, asked: Partial<Shape>): SandboxPlan {
  const shape = { ...emptyShape, ...asked }
  const at = (last: number) => `198.19.${slot}.${last}`
  const apiServers = range(shape.hosts > 0 ? shape.apiServers - 1 : 0).map(index => ({
    name: `host-api${index + 2}`,
    address: at(21 + index),
  }))
  const otherAddresses = [...apiServers.map(({ address }) => address), ...(shape.vip ? [shape.vip] : [])]
  const hosts = range(shape.hosts).map((index): ClusterPlan => {
    const address = at(10 + index)
    const plan: ClusterPlan = { name: numbered('host', index), role: 'host', address, adminAddress: address }
    if (index === 0 && otherAddresses.length > 0) plan.otherAddresses = otherAddresses
    return shape.karmada ? { ...plan, karmada: numbered('karmada', index) } : plan
  })
  const push = range(shape.push).map((index): ClusterPlan => {
    const address = at(30 + index)
    return { name: `push${index + 1}`, role: 'push', address, adminAddress: address }
  })
  const pull = range(shape.pull).map((index): ClusterPlan => {
    const router: RouterPlan = {
      name: `router${index + 1}`,
      outside: `${at(60 + index)}/25`,
      inside: `${memberGateway}/24`,
      adminPeer: at(128 + 2 * index),
    }
    return { name: `member${index + 1}`, role: 'pull', address: memberNode, adminAddress: at(129 + 2 * index), router }
  })
  const machines = range(shape.machines).map(index => ({ name: `etcd${index + 1}`, address: at(100 + index) }))
  const vms = range(shape.hosts > 0 ? shape.vmNodes : 0).map(index => ({
    name: `vm${index + 1}`,
    address: at(50 + index),
    podNetwork: `10.244.${index + 1}.0/24`,
  }))
  const clusters = [...hosts, ...pull, ...push]
  return { name, slot, gateway: at(1), rootAddress: at(126), clusters, machines, apiServers, vms }
}

/** Names that the API server's certificate must answer to. */
export const apiNames = (cluster: ClusterPlan): string[] => [
  ...[
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'localhost',
  ],
  ...new Set(['127.0.0.1', apiService, cluster.address, cluster.adminAddress, ...(cluster.otherAddresses ?? [])]),
]

/** Interfaces in the root namespace; Linux allows 15 characters. */
export const rootInterface = (slot: number): string => `kn${slot}`
export const adminInterface = (slot: number, member: ClusterPlan): string =>
  `kn${slot}-${member.name.replace('member', 'm')}`

const range = (count: number): number[] => [...Array(count).keys()]
const numbered = (name: string, index: number): string => (index === 0 ? name : `${name}${index + 1}`)
