import { endpoint } from './installation.ts'
import type { Evidence, Installation, PlaneFacts } from './types.ts'

/** The side of a plane that the evidence compares: where its contexts point, and what it says of itself. */
export interface Claim {
  servers: string[]
  facts: PlaneFacts
}

/**
 * Does this installation serve that plane? `no` only by proof; `unknown` when there was too little to read.
 * A pod's name is proof both ways: kube-apiserver writes its host name into the store it serves. An address or a certificate
 * proves less (overlapping networks, clones that share a CA), so these count only where no pod could be compared.
 */
export function serves(installation: Installation, { servers, facts }: Claim): Evidence | 'no' | 'unknown' {
  if (installation.apiServers.length > 0 && facts.apiServers.length > 0) {
    return installation.apiServers.some(name => facts.apiServers.includes(name)) ? 'pod' : 'no'
  }
  if (!fitsHub(installation, facts.hub)) return 'no'
  if (servers.some(server => installation.endpoints.includes(endpointOf(server)))) return 'address'
  if (installation.fingerprints.some(print => facts.fingerprints.includes(print))) return 'certificate'
  return 'unknown'
}

/** Inside the plane, the Service of the aggregated API server is an alias of the one in the host: its namespace and name. */
function fitsHub({ namespace, prefix }: Installation, hub: PlaneFacts['hub']): boolean {
  if (hub === undefined) return true
  return hub.namespace === namespace && hub.service.startsWith(`${prefix}-`)
}

/** True when every API server of the plane is known to run in these installations: there is no other host to look for. */
export function allApiServersIn(installations: Installation[], facts: PlaneFacts): boolean {
  const here = new Set(installations.flatMap(({ apiServers }) => apiServers))
  return facts.apiServers.length > 0 && facts.apiServers.every(name => here.has(name))
}

/** `host:port` of a kubeconfig's server. */
export function endpointOf(server: string): string {
  // Without a scheme it means http, for kubectl as well.
  const url = new URL(server.includes('://') ? server : `http://${server}`)
  return endpoint(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || (url.protocol === 'https:' ? 443 : 80)))
}
