import type { KeyType } from '../pki/certificate.ts'

/** What an inventory asks for, with every default filled in. `parseInventory` makes it; the store keeps the last one carried out. */
export interface ClusterSpec {
  name: string
  /** `3.6.16`, without `v`. */
  version: string
  /** Repository, with or without tag and digest; the tag `vVERSION` is added where there is none. */
  image: string
  /** Where Kubernetes clusters take that image, our own and the helper's from, instead of their own registries. */
  imageRegistry?: string | undefined
  keyType: KeyType
  ports: Ports
  tuning: Tuning
  /** Client certificates to issue, by consumer, beside `admin`. */
  consumers: string[]
  backup?: Backup | undefined
  members: MemberSpec[]
}

export interface Ports {
  client: number
  peer: number
  /** Plain http on 127.0.0.1 of the member's machine. */
  metrics: number
}

export interface Tuning {
  quotaBytes: number
  heartbeatMs: number
  electionMs: number
  snapshotCount: number
  /** Flags of etcd beyond these, `--flag=value`. */
  extraArgs: string[]
}

export interface Backup {
  /** As it was given: `6h`, or cron's five fields, in UTC. */
  schedule: string
  /** Snapshots kept. */
  keep: number
  /** Folder on the machines that take them. */
  directory: string
  /** In Kubernetes, instead of the folder: name of a PersistentVolumeClaim in each cluster. */
  claim?: string | undefined
}

export interface MemberSpec {
  name: string
  /** IP address or DNS name that members and clients dial. */
  address: string
  /** Where it listens when that is not `address`: its own side of a NAT, or 0.0.0.0. */
  listen?: string | undefined
  /** Members of one site fail together. Default: each member is a site of its own. */
  site: string
  driver: DriverSpec
}

export type DriverSpec = DockerSpec | KubernetesSpec | FilesSpec

export interface DockerSpec {
  kind: 'docker'
  /** As `docker -H`: `ssh://root@10.0.0.1`, `unix:///run/docker.sock`. */
  host?: string | undefined
  /** As `docker --context`. */
  context?: string | undefined
}

export interface KubernetesSpec {
  kind: 'kubernetes'
  context: string
  namespace: string
  /** The node's name; without it the scheduler chooses, once. */
  node?: string | undefined
  /** A folder of the node, or a volume of a storage class. */
  storage: { hostPath: string } | { storageClass: string; size: string }
}

export interface FilesSpec {
  kind: 'files'
  /** On this machine: gets one folder per member. */
  directory: string
  run: 'systemd' | 'static-pod'
}

/** What is remembered of a cluster between commands. Holds no secret. */
export interface ClusterState {
  spec: ClusterSpec
  /** `--initial-cluster-token` of this life of the cluster; a restore begins another. */
  token: string
  /** It had a quorum once: from then on a member without its data is replaced, never started as new. */
  formed: boolean
  /** By member. */
  members: Record<string, MemberState>
  /** By context: the UID of its cluster's kube-system, which others find it by who call it otherwise. */
  clusters?: Record<string, string> | undefined
  /** A restore that was begun: its members are given the same snapshot with the same revisions, however often the command is cut off. */
  restoring?: Restoration | undefined
  /** A member whose owner was given new settings and has not restarted it yet. */
  settling?: Settling | undefined
}

export interface Restoration {
  /** Of the snapshot: where it was, and its content. */
  file: string
  sha256: string
  /** By how much revisions are raised. */
  bump: string
  /** Names of those that make up the restored cluster. */
  members: string[]
}

export interface Settling {
  member: string
  /** When the process began that still runs with the former settings, by its own clock; undefined: it did not tell. Seconds. */
  since?: number | undefined
}

export interface MemberState {
  /** Counts the data directories: each new life of a member begins in an empty one. From 1. */
  generation: number
  /** What it runs: differs from the spec's in the middle of an upgrade. */
  version: string
}

export const peerUrl = ({ address }: MemberSpec, { ports }: Pick<ClusterSpec, 'ports'>): string =>
  `https://${inUrl(address)}:${ports.peer}`

export const clientUrl = ({ address }: MemberSpec, { ports }: Pick<ClusterSpec, 'ports'>): string =>
  `https://${inUrl(address)}:${ports.client}`

const inUrl = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** Members that must be up for writes: more than half of the voters. */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1
