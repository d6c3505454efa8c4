import type { Cluster } from '../karmada/cluster.ts'
import type { KubeClient } from '../kube/types.ts'

/** Did a context answer, and if not, why not. */
export type Access =
  | 'ok'
  | 'timeout'
  | 'refused'
  | 'no such host'
  | 'no route'
  | 'certificate'
  | 'unauthorized'
  | 'error'

export type Installer = 'karmadactl' | 'helm' | 'operator' | 'hack script' | 'unknown'

/** A Deployment of a Karmada control plane, named by what it runs (`karmada-aggregated-apiserver`, `kube-controller-manager`). */
export interface Component {
  component: string
  deployment: string
  image: string
  podLabels: Record<string, string>
}

/** A Karmada control plane whose workload runs in a cluster. */
export interface Installation {
  namespace: string
  /** What its objects' names begin with: `karmada` in `karmada-aggregated-apiserver`; the helm release, the operator's instance. */
  prefix: string
  installedBy: Installer
  /** Image tag of Karmada's own components (`v1.18.2`); undefined where it is no version (`latest`). */
  karmadaVersion?: string | undefined
  components: Component[]
  /** Host names that its API servers see as their own: the pod's name, the node's on the host network. */
  apiServers: string[]
  /** `host:port` under which the cluster serves its API: Service, load balancer, node and pod addresses. */
  endpoints: string[]
  nodePorts: number[]
  /** Secrets that the API server mounts. */
  certificateSecrets: string[]
  /** SHA-256 of the certificates in those Secrets; read only where nothing else told whose API server it is. */
  fingerprints: string[]
}

/** What a Karmada API server says of itself. */
export interface PlaneFacts {
  /** Undefined when they could not be read. */
  clusters?: Cluster[] | undefined
  /** The aggregated API server as the plane addresses it, which is a Service in the host cluster. */
  hub?: { service: string; namespace: string; domain?: string | undefined } | undefined
  /** Host names of the API servers that renewed their identity lease lately. */
  apiServers: string[]
  /** SHA-256 of the CA certificates that vouch for it: the kubeconfig's and the APIService's. */
  fingerprints: string[]
}

/** A piece that a context did not give away, and the words for it. */
export interface Gap {
  piece: 'namespace' | 'pods' | 'clusters' | 'version' | 'details'
  text: string
}

/** What one context answered. */
export interface Probe {
  context: string
  server: string
  access: Access
  /** Why it gave no answer. */
  note?: string | undefined
  /** What could not be read though it answered: `may not list clusters`. */
  gaps: Gap[]
  kubernetesVersion?: string | undefined
  /** UID of the kube-system namespace: names the cluster, whatever the context, address or user. */
  uid?: string | undefined
  plane?: PlaneFacts | undefined
  installations: Installation[]
}

export type Role = 'host' | 'plane' | 'member' | 'plain' | 'unreachable'
export type SyncMode = Cluster['spec']['syncMode']

/** A cluster in its place: one row per context, and one per member that no context leads to. */
export interface FleetRow {
  context?: string | undefined
  server?: string | undefined
  role: Role
  mode?: SyncMode | undefined
  /** A member's name in its plane; a plane's own name. */
  cluster?: string | undefined
  /** Planes that it hosts or is a member of. */
  planes: string[]
  /** Karmada here: what a host runs, or what serves a plane. */
  installations: Pick<Installation, 'namespace' | 'installedBy' | 'karmadaVersion'>[]
  version?: string | undefined
  /** `partial`: it answers, but this user may not read all that tells its role. */
  access: Access | 'partial' | 'no context'
  note: string
}

/** How we know that an installation serves a plane. `pod`: the API server that answered runs there. */
export type Evidence = 'pod' | 'address' | 'certificate' | 'user'

export interface FleetHost {
  /** Contexts of the one cluster, in the kubeconfig's order. */
  contexts: string[]
  installation: Installation
  evidence: Evidence
}

export interface FleetMember {
  name: string
  mode: SyncMode
  cluster: Cluster
  contexts: string[]
}

/** One Karmada control plane (one store), whatever number of contexts and hosts it has. */
export interface FleetPlane {
  /** For people; unique in the fleet. */
  name: string
  contexts: string[]
  facts: PlaneFacts
  kubernetesVersion?: string | undefined
  hosts: FleetHost[]
  members: FleetMember[]
}

export interface Fleet {
  probes: Probe[]
  planes: FleetPlane[]
  rows: FleetRow[]
}

/** What the user said about who is who; all of it only overrides what is found. */
export interface Selection {
  /** `--context`: the plane's. */
  context?: string | undefined
  hostContext?: string | undefined
  /** Namespace of the host that the plane's workload runs in. */
  namespace?: string | undefined
  /** Member name -> context. */
  memberContext?: Record<string, string> | undefined
}

/** The cluster that a plane's workload runs in. */
export interface Host {
  context: string
  client: KubeClient
  namespace: string
  /** DNS domain of its Services (`cluster.local`), as the plane addresses its aggregated API server; undefined where it does not say. */
  clusterDomain?: string | undefined
  installedBy: Installer
  installation: Installation
}

export interface Member {
  name: string
  mode: SyncMode
  cluster: Cluster
  /** Undefined for a member that no context leads to. */
  context?: string | undefined
  client?: KubeClient | undefined
}

/** A control plane to work on: resolved, reachable. */
export interface Plane {
  name: string
  context: string
  client: KubeClient
  /** `v1.18.2`; undefined where the images' tags are no versions. */
  karmadaVersion?: string | undefined
  host: Host
  members: Member[]
}
