import type { V1EndpointSlice, V1Node, V1Service } from '@kubernetes/client-node'
import { isForbidden, isNotFound } from '../../kube/errors.ts'
import type { KubeClient, KubeObject, Wire } from '../../kube/types.ts'
import { canonicalHost, type Endpoint } from '../address.ts'
import { apiNamespace, type Stage, stageLabel } from '../names.ts'
import type { NodeRequirement } from '../selector.ts'

type Node = KubeObject & Wire<V1Node>

export interface NodeFacts {
  name: string
  ready: boolean
  /** When that last changed: milliseconds since 1970. */
  readySinceMs?: number | undefined
  controlPlane: boolean
  /** Canonical. */
  addresses: string[]
  stage?: Stage | undefined
}

/** What a cluster says of itself, as far as the virtual IP must not collide with it. */
export interface ClusterFacts {
  /** Those that it is for. */
  nodes: NodeFacts[]
  /** Others, from which an earlier run has not taken it away to the end. */
  leaving: NodeFacts[]
  /** Of every node, also of those that it is not for. */
  nodeAddresses: string[]
  podNetworks: string[]
  serviceNetworks: string[]
  /** Addresses that Services have, and whose they are. */
  services: { address: string; name: string }[]
  apiServers: Endpoint[]
}

interface ServiceCidr extends KubeObject {
  spec?: { cidrs?: string[] }
}

type Slice = KubeObject & Wire<V1EndpointSlice>
type Service = KubeObject & Wire<V1Service>

/** Throws what the API server answers; what it does not know (an older version) or keeps to itself counts as nothing. */
export async function readFacts(
  client: KubeClient,
  requirements: readonly NodeRequirement[],
  options: { signal: AbortSignal },
): Promise<ClusterFacts> {
  const list = <T extends KubeObject>(apiVersion: string, kind: string, namespace?: string, labelSelector?: string) =>
    client.list<T>({ apiVersion, kind, namespace, labelSelector }, options)
  const [nodes, slices, services, cidrs] = await Promise.all([
    list<Node>('v1', 'Node'),
    list<Slice>('discovery.k8s.io/v1', 'EndpointSlice', apiNamespace, 'kubernetes.io/service-name=kubernetes'),
    list<Service>('v1', 'Service').catch(nothingIf(isForbidden)),
    list<ServiceCidr>('networking.k8s.io/v1', 'ServiceCIDR').catch(nothingIf(isForbidden, isNotFound)),
  ])
  const [chosen, others] = [true, false].map(wanted => nodes.filter(node => matches(node, requirements) === wanted))
  return {
    nodes: (chosen ?? []).map(nodeFacts),
    leaving: (others ?? []).map(nodeFacts).filter(({ stage }) => stage === 'leaving'),
    nodeAddresses: nodes.flatMap(addressesOf),
    podNetworks: [...new Set(nodes.flatMap(({ spec }) => spec?.podCIDRs ?? []))],
    serviceNetworks: cidrs.flatMap(({ spec }) => spec?.cidrs ?? []),
    services: services.flatMap(serviceAddresses),
    apiServers: slices.flatMap(apiServersOf),
  }
}

const nothingIf =
  (...tests: ((error: unknown) => boolean)[]) =>
  (error: unknown): [] => {
    if (tests.some(test => test(error))) return []
    throw error
  }

function nodeFacts(node: Node): NodeFacts {
  const { name, labels } = node.metadata
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    name,
    ready: ready?.status === 'True',
    readySinceMs: Date.parse(ready?.lastTransitionTime ?? '') || undefined,
    controlPlane: labels?.['node-role.kubernetes.io/control-plane'] !== undefined,
    addresses: addressesOf(node),
    stage: stageOf(labels?.[stageLabel]),
  }
}

const stageOf = (label: string | undefined): Stage | undefined =>
  label === 'later' || label === 'leaving' ? label : undefined

const addressesOf = ({ status }: Node): string[] =>
  (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' || type === 'ExternalIP' ? (canonicalHost(address) ?? []) : [],
  )

const serviceAddresses = ({ metadata, spec, status }: Service) =>
  [
    ...(spec?.clusterIPs ?? []),
    ...(spec?.externalIPs ?? []),
    ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
  ].flatMap(text => {
    const address = canonicalHost(text)
    return address === undefined ? [] : [{ address, name: `${metadata.namespace}/${metadata.name}` }]
  })

/** Whoever is not ready is one of them all the same. */
function apiServersOf({ endpoints, ports }: Slice): Endpoint[] {
  const port = (ports?.find(({ name }) => name === 'https') ?? ports?.[0])?.port
  const hosts = (endpoints ?? []).flatMap(({ addresses }) => addresses).map(canonicalHost)
  return port === undefined ? [] : hosts.flatMap(host => (host === undefined ? [] : [{ host, port }]))
}

/** As the scheduler reads node affinity, and the agents' own: Linux alone. */
function matches({ metadata: { labels = {} } }: Node, requirements: readonly NodeRequirement[]): boolean {
  if ((labels['kubernetes.io/os'] ?? 'linux') !== 'linux') return false
  return requirements.every(({ key, operator, values = [] }) => {
    const value = labels[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    const among = value !== undefined && values.includes(value)
    return operator === 'In' ? among : !among
  })
}
