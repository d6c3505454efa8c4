import { UserError } from '../../errors.ts'
import { type Endpoint, familyOf, formatEndpoint, isInside } from '../address.ts'
import type { VipSettings } from '../settings.ts'
import type { ClusterFacts } from './facts.ts'

export interface Objection {
  text: string
  hint?: string
}

/** Addresses that something else on nodes has in many clusters. */
const taken = [
  ['169.254.169.254', 'is where clouds keep the metadata of their machines'],
  ['169.254.20.10', 'is where NodeLocal DNSCache listens'],
  ['169.254.25.10', 'is where NodeLocal DNSCache listens in clusters of kubespray'],
  ['fd00:ec2::254', 'is where clouds keep the metadata of their machines'],
] as const

/** An address of the same family, of a range for benchmarks, documentation or private use, and not the one that is refused. */
export function elsewhere(vip: string): string {
  const usual = familyOf(vip) === 'ipv6' ? ['fd00:6b6e::1', 'fd00:6b6e:1::1'] : ['198.18.0.1', '192.0.2.1']
  return `take one that nobody has: --vip ${usual.find(address => address !== vip)} in most networks`
}

/**
 * Why the virtual IP cannot be this one in this cluster; empty: it can. `unseen`: addresses of nodes that nobody looks at, so that how
 * large their networks are must be guessed. Pure.
 */
export function objections(
  { vip, port }: VipSettings,
  facts: ClusterFacts,
  unseen: readonly string[] = facts.nodeAddresses,
): Objection[] {
  const found = [
    ...taken.filter(([address]) => address === vip).map(([, why]) => why),
    ...inside(vip, facts.serviceNetworks).map(network => `lies in the network of Services, ${network}`),
    ...inside(vip, facts.podNetworks).map(network => `lies in a network of pods, ${network}`),
    ...facts.services.filter(({ address }) => address === vip).map(({ name }) => `belongs to Service ${name}`),
    ...(facts.nodeAddresses.includes(vip) ? ['is the address of a node'] : []),
    ...(facts.apiServers.some(({ host }) => host === vip) ? ['is the address of an API server'] : []),
    ...neighbours(vip, unseen).map(
      node => `lies in the network of node ${node}: nodes would answer for it on their own network`,
    ),
  ]
  const addressed = [...new Set(found)].map(why => ({ text: `${vip} ${why}`, hint: elsewhere(vip) }))
  const [first] = facts.apiServers
  return [...addressed, ...familyObjections(vip, facts), ...(first ? [] : [noServers({ host: vip, port })])]
}

const inside = (vip: string, networks: readonly string[]): string[] => networks.filter(each => isInside(vip, each))

/** The API does not know how large a node's network is; smaller than these few are. One is named. */
function neighbours(vip: string, nodeAddresses: readonly string[]): string[] {
  const bits = familyOf(vip) === 'ipv6' ? 64 : 24
  const near = nodeAddresses.find(address => address !== vip && isInside(vip, `${address}/${bits}`))
  return near === undefined ? [] : [near]
}

function familyObjections(vip: string, { nodes, apiServers }: ClusterFacts): Objection[] {
  const family = familyOf(vip)
  const has = (addresses: readonly string[]) => addresses.some(address => familyOf(address) === family)
  const without = nodes.filter(({ addresses }) => !has(addresses)).map(({ name }) => name)
  const word = family === 'ipv6' ? 'IPv6' : 'IPv4'
  const other = family === 'ipv6' ? '--vip 198.18.0.1' : '--vip fd00:6b6e::1'
  return [
    ...(without.length > 0
      ? [{ text: `${vip} is ${word}, but these nodes are not: ${few(without)}`, hint: other }]
      : []),
    ...(apiServers.length > 0 && !has(apiServers.map(({ host }) => host))
      ? [
          {
            text: `${vip} is ${word}, but the API servers are not: ${few(apiServers.map(formatEndpoint))}`,
            hint: other,
          },
        ]
      : []),
  ]
}

const noServers = (vip: Endpoint): Objection => ({
  text: `the cluster names no API server behind ${formatEndpoint(vip)}: EndpointSlice default/kubernetes is empty`,
  hint: 'name them: --static-server ADDRESS:PORT for each',
})

/** Everything at once, and what to do about each. */
export function refusal(objections: readonly Objection[]): UserError {
  const hints = new Set(objections.flatMap(({ hint }) => hint ?? []))
  return new UserError(objections.map(({ text }) => text).join('\n'), { hint: [...hints].join('\n') || undefined })
}

/** The first of many. */
export const few = (all: readonly string[], most = 5): string =>
  all.length <= most ? all.join(', ') : `${all.slice(0, most).join(', ')} and ${all.length - most} more`
