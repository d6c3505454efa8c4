import { canonicalHost, type Endpoint, familyOf } from '../address.ts'

/** One of the kernel's virtual servers; those of a firewall mark have no address and are left out. */
export interface VirtualServer extends Endpoint {
  protocol: 'TCP' | 'UDP' | 'SCTP'
  scheduler: string
  /** What stands after the scheduler: `ops`, `persistent 300 FFFFFFFF`. */
  flags: string
  realServers: RealServer[]
}

export interface RealServer extends Endpoint {
  forward: 'Masq' | 'Route' | 'Tunnel' | 'Local' | 'Bypass'
  weight: number
  /** Connections, as the kernel counts them. */
  active: number
  inactive: number
}

/** The text of /proc/net/ip_vs, all of it or a part that begins with a virtual server. Pure. */
export function parseTable(text: string): VirtualServer[] {
  const servers: VirtualServer[] = []
  let current: VirtualServer | undefined
  for (const line of text.split('\n')) {
    const real = /^ {2}-> (\S+) +([A-Z]\w+) +(\d+) +(\d+) +(\d+)/.exec(line)
    if (real) {
      const [, address = '', forward, weight, active, inactive] = real
      const endpoint = parseHexEndpoint(address)
      if (endpoint && current) {
        current.realServers.push({
          ...endpoint,
          forward: forward as RealServer['forward'],
          weight: Number(weight),
          active: Number(active),
          inactive: Number(inactive),
        })
      }
      continue
    }
    const [, protocol, address = '', scheduler = '', flags = ''] = /^(TCP|UDP|SCTP) +(\S+) +(\S+)(.*)$/.exec(line) ?? []
    const endpoint = protocol && parseHexEndpoint(address)
    current = endpoint
      ? {
          ...endpoint,
          protocol: protocol as VirtualServer['protocol'],
          scheduler,
          flags: flags.trim().replace(/\s+/g, ' '),
          realServers: [],
        }
      : undefined
    if (current) servers.push(current)
  }
  return servers
}

/**
 * The one TCP virtual server at the address, out of a table that may have thousands of others: only its own lines are parsed,
 * as this runs several times a second. Pure.
 */
export function findServer(text: string, address: Endpoint): VirtualServer | undefined {
  const head = `TCP  ${hexEndpoint(address)} `
  const start = text.startsWith(head) ? 0 : text.indexOf(`\n${head}`) + 1
  if (start === 0 && !text.startsWith(head)) return undefined
  let end = text.indexOf('\n', start)
  while (end !== -1 && text.startsWith('  -> ', end + 1)) end = text.indexOf('\n', end + 1)
  return parseTable(text.slice(start, end === -1 ? undefined : end))[0]
}

/** How many virtual servers there are, those of firewall marks included. Pure. */
export const countServers = (text: string): number => text.match(/^(?:TCP|UDP|SCTP|FWM) /gm)?.length ?? 0

/** `0A090909:192B` and `[fd00:0000:...:0001]:192B`, as the kernel writes them. */
export function hexEndpoint({ host, port }: Endpoint): string {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  if (familyOf(host) === 'ipv4') {
    const hex = host.split('.').map(byte => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
    return `${hex.join('')}:${hexPort}`
  }
  const [front = '', back] = host.split('::')
  const groups = (half: string | undefined) => (half ? half.split(':').map(group => group.padStart(4, '0')) : [])
  const zeros = Array<string>(8 - groups(front).length - groups(back).length).fill('0000')
  return `[${[...groups(front), ...zeros, ...groups(back)].join(':')}]:${hexPort}`
}

function parseHexEndpoint(text: string): Endpoint | undefined {
  const [, ipv6, ipv4 = '', port = ''] = /^(?:\[([\da-f:]+)\]|([\dA-F]{8})):([\dA-F]{4})$/i.exec(text) ?? []
  const host = ipv6 ?? Buffer.from(ipv4, 'hex').join('.')
  const canonical = canonicalHost(host)
  return canonical === undefined ? undefined : { host: canonical, port: Number.parseInt(port, 16) }
}
