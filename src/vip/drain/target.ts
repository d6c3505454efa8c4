import { UserError } from '../../errors.ts'
import { suggest } from '../../suggest.ts'
import { canonicalHost, familyOf, formatEndpoint, parseEndpoint } from '../address.ts'
import type { VipSettings } from '../settings.ts'
import type { ClusterFacts } from '../up/facts.ts'
import { few } from '../up/objections.ts'

/** An API server as a person may call it. */
export interface Callable {
  /** `host:port` */
  address: string
  /** Of its machine, where that is a node. */
  node?: string | undefined
}

/** Every API server that a drain may be about: whom the cluster names, whom the settings name, and who is drained already. Pure. */
export function callables(
  { vip, staticServers, drained }: Pick<VipSettings, 'vip' | 'staticServers' | 'drained'>,
  { apiServers, nodes }: Pick<ClusterFacts, 'apiServers' | 'nodes'>,
): Callable[] {
  const family = familyOf(vip)
  const named = apiServers.filter(({ host }) => familyOf(host) === family).map(formatEndpoint)
  return [...new Set([...named, ...staticServers, ...drained])].sort().map(address => {
    const host = parseEndpoint(address)?.host ?? ''
    return { address, node: nodes.find(({ addresses }) => addresses.includes(host))?.name }
  })
}

/** The one that is called by its address, with or without its port, or by its machine's name. Throws `UserError`. Pure. */
export function find(word: string, servers: readonly Callable[]): string {
  const endpoint = parseEndpoint(word)
  const host = canonicalHost(word)
  const found = servers.filter(({ address, node }) => {
    if (endpoint) return address === formatEndpoint(endpoint)
    return host === undefined ? node === word : parseEndpoint(address)?.host === host
  })
  const addresses = found.map(({ address }) => address)
  const [first] = addresses
  if (first === undefined) throw unknown(word, servers)
  if (addresses.length === 1) return first
  throw new UserError(`${word} is several API servers: ${addresses.join(', ')}`, { hint: 'name the port as well' })
}

function unknown(word: string, servers: readonly Callable[]): UserError {
  const words = servers.flatMap(({ address, node }) => [address, ...(node === undefined ? [] : [node])])
  const meant = suggest(word, words)
  return new UserError(`no API server "${word}"`, {
    hint: meant === undefined ? `there are: ${few(words)}` : `did you mean ${meant}?`,
  })
}
