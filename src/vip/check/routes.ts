import { hostOf, isInside } from '../address.ts'

/** Shorter prefixes lead everywhere: default routes, and the halves that a VPN makes of one. */
const least = { ipv4: 8, ipv6: 8 } as const

/** Networks that the node has a route to, by the text of /proc/net/route (IPv4, the main table). Pure. */
export const routedNetworks4 = (text: string): string[] =>
  text.split('\n').flatMap(line => {
    const [device, destination = '', , , , , , mask = ''] = line.split('\t')
    if (!/^[\dA-F]{8}$/.test(destination) || device === 'lo') return []
    const bits = [...bytes(mask)].map(byte => byte.toString(2).replaceAll('0', '').length)
    const prefix = bits.reduce((sum, count) => sum + count, 0)
    return prefix < least.ipv4 ? [] : [`${hostOf([...bytes(destination)].reverse())}/${prefix}`]
  })

/** As `routedNetworks4`, of /proc/net/ipv6_route, which has the node's own addresses as well: those are no networks. Pure. */
export const routedNetworks6 = (text: string): string[] =>
  text.split('\n').flatMap(line => {
    const [, destination = '', hexPrefix = '', device] = /^([\da-f]{32}) ([\da-f]{2}) .* (\S+)$/.exec(line) ?? []
    const prefix = Number.parseInt(hexPrefix, 16)
    if (destination === '' || device === 'lo' || prefix < least.ipv6) return []
    return [`${hostOf([...bytes(destination)])}/${prefix}`]
  })

/** Each of them once, the smallest first. Pure. */
export const covering = (networks: readonly string[], address: string): string[] =>
  [...new Set(networks)].filter(network => isInside(address, network)).toSorted((a, b) => prefixOf(b) - prefixOf(a))

const prefixOf = (network: string): number => Number(network.split('/')[1])

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
