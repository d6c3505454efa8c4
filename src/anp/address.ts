import type { V1Node, V1Service } from '@kubernetes/client-node'
import type { KubeObject, Wire } from '../kube/types.ts'
import { agentsPort, gatewayName } from './names.ts'
import type { Address, Exposure, GivenAddress } from './settings.ts'

export type Node = Wire<V1Node> & KubeObject
export type Service = Wire<V1Service> & KubeObject

/** Where a search for a free NodePort begins: a known number is easier to open in a firewall than a random one. */
const firstNodePort = 32091
const lastNodePort = 32767

/** The NodePort that the gateway has, else the first one that no Service of the cluster uses. */
export function chooseNodePort(services: Service[], namespace: string): number {
  const own = services.find(({ metadata }) => metadata.name === gatewayName && metadata.namespace === namespace)
  const kept = own?.spec?.ports?.[0]?.nodePort
  if (kept) return kept
  const used = new Set(services.flatMap(({ spec }) => (spec?.ports ?? []).map(port => port.nodePort)))
  for (let port = firstNodePort; port <= lastNodePort; port++) if (!used.has(port)) return port
  return firstNodePort
}

export interface AddressInputs {
  expose: Exposure
  given?: GivenAddress | undefined
  nodePort: number
  nodes: Node[]
  /** The control plane's URL as members know it. */
  planeServer: string
  /** The gateway's Service, once it is there. */
  service?: Service | undefined
}

/**
 * What the members' agents are to dial; undefined while it cannot be known (no usable node, a load balancer without an address).
 * The node that already serves the control plane's own address is the best guess: the members reach that one today.
 */
export function gatewayAddress({
  expose,
  given,
  nodePort,
  nodes,
  planeServer,
  service,
}: AddressInputs): Address | undefined {
  const port = { nodeport: nodePort, loadbalancer: agentsPort, hostport: agentsPort }[expose]
  if (given) return { host: given.host, port: given.port ?? port }
  const host = expose === 'loadbalancer' ? loadBalancerHost(service) : nodeHost(nodes, planeServer)
  return host === undefined ? undefined : { host, port }
}

function loadBalancerHost(service: Service | undefined): string | undefined {
  const [ingress] = service?.status?.loadBalancer?.ingress ?? []
  return ingress?.ip || ingress?.hostname || undefined
}

function nodeHost(nodes: Node[], planeServer: string): string | undefined {
  const usable = nodes.filter(isReady)
  const addresses = usable.flatMap(node => node.status?.addresses ?? [])
  const planeHost = URL.parse(planeServer)?.hostname.replace(/^\[|\]$/g, '')
  if (addresses.some(({ address }) => address === planeHost)) return planeHost
  const ofType = (type: string) => addresses.find(address => address.type === type)?.address
  return ofType('ExternalIP') ?? ofType('InternalIP')
}

const isReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

/** `HOST`, `HOST:PORT`, `[IPv6]:PORT`, a bare IPv6 address; undefined when it is none of these. */
export function parseAddress(text: string): GivenAddress | undefined {
  const parts =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text)
  const host = parts?.[1] ?? parts?.[2] ?? parts?.[3]
  if (!host) return undefined
  const port = parts?.[4]
  if (port === undefined) return { host }
  const number = Number(port)
  return number >= 1 && number <= 65535 ? { host, port: number } : undefined
}
