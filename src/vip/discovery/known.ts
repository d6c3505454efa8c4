import { canonicalHost, type Family, familyOf, formatEndpoint, isPort } from '../address.ts'

/** What the cluster says of its API servers, `host:port`. */
export interface Known {
  current: string[]
  /** Who was named before, and when (milliseconds) it no longer was. */
  former: ReadonlyMap<string, number>
}

export const nobodyKnown: Known = { current: [], former: new Map() }

/** An EndpointSlice, as far as it matters here. */
export interface Slice {
  addressType?: string
  ports?: { name?: string; port?: number; protocol?: string }[] | null
  endpoints?: { addresses?: string[]; conditions?: { ready?: boolean | null } | null }[] | null
}

/** `host:port` of the endpoints of one family, sorted, each once. Pure. */
export function endpointsOf(slices: readonly Slice[], family: Family): string[] {
  const found = slices.flatMap(({ ports, endpoints }) => {
    const usable = (ports ?? []).filter(({ port, protocol }) => isPort(port ?? 0) && (protocol ?? 'TCP') === 'TCP')
    const { port } = usable.find(({ name }) => name === 'https') ?? usable[0] ?? {}
    if (port === undefined) return []
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses = [] }) => addresses)
      .filter(address => familyOf(address) === family)
      .map(address => formatEndpoint({ host: canonicalHost(address) ?? address, port }))
  })
  return [...new Set(found)].sort()
}

/**
 * What is known after one more answer of the cluster. An empty answer is no news: API servers that all stop at once take
 * themselves out of the list, and are back at the same places. `keepMs`: how long who has left is remembered. Pure.
 */
export function learn(before: Known, told: readonly string[], nowMs: number, keepMs: number): Known {
  const former = new Map([...before.former].filter(([, leftMs]) => nowMs - leftMs < keepMs))
  if (told.length === 0) return { ...before, former }
  for (const address of before.current) if (!told.includes(address)) former.set(address, nowMs)
  for (const address of told) former.delete(address)
  return { current: [...told].sort(), former }
}
