import { BlockList, isIP, SocketAddress } from 'node:net'

export type Family = 'ipv4' | 'ipv6'

/** An IP address in canonical form and a port; as text `10.0.0.1:6443` or `[fd00::1]:6443`. */
export interface Endpoint {
  host: string
  port: number
}

/** Nothing for what is not an IP address: a name, or one with a zone. */
export function familyOf(host: string): Family | undefined {
  if (host.includes('%')) return undefined
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(host)]
}

/** `fd00:0:0::1` as `fd00::1`: the same address is the same text. Nothing for what is not an IP address. */
export function canonicalHost(host: string): string | undefined {
  const family = familyOf(host)
  return family && new SocketAddress({ address: host, family }).address
}

/** Nothing where `text` is not an IP address and a port of 1 to 65535. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const host = canonicalHost(bracketed ?? plain ?? '')
  if (host === undefined || (bracketed !== undefined) !== host.includes(':')) return undefined
  return isPort(Number(digits)) ? { host, port: Number(digits) } : undefined
}

export const formatEndpoint = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

/** Is the address in the network? `cidr` is `10.0.0.0/8` or `fd00::/64`. False for the other family, and for what is neither. */
export function isInside(host: string, cidr: string): boolean {
  const family = familyOf(host)
  const [network = '', prefix = ''] = cidr.split('/')
  if (!family || familyOf(network) !== family || !/^\d{1,3}$/.test(prefix)) return false
  if (Number(prefix) > (family === 'ipv4' ? 32 : 128)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), family)
  return list.check(host, family)
}

/** The network that an address is in: of `10.1.18.3/20` it is `10.1.16.0/20`. `cidr` must be one. */
export function networkOf(cidr: string): string {
  const [host = '', prefix = ''] = cidr.split('/')
  const bytes = bytesOf(host)
  const masked = bytes.map((byte, index) => {
    const bits = Math.min(Math.max(Number(prefix) - 8 * index, 0), 8)
    return byte & (0xff00 >> bits) & 0xff
  })
  return `${hostOf(masked)}/${prefix}`
}

/** The inverse of `bytesOf`: 4 or 16 bytes, in canonical form. */
export function hostOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  const hex = Buffer.from(bytes).toString('hex')
  return canonicalHost(hex.match(/.{4}/g)?.join(':') ?? '') ?? ''
}

function bytesOf(host: string): number[] {
  if (familyOf(host) === 'ipv4') return host.split('.').map(Number)
  const [front = '', back] = host.split('::')
  const groups = (half: string | undefined) => (half ? half.split(':').map(group => Number.parseInt(group, 16)) : [])
  const zeros = Array<number>(8 - groups(front).length - groups(back).length).fill(0)
  return [...groups(front), ...zeros, ...groups(back)].flatMap(group => [group >> 8, group & 0xff])
}
