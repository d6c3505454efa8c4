import { canonicalHost, type Endpoint, familyOf, formatEndpoint } from '../address.ts'

/** Who a connection of this machine to the virtual IP was led to, by the text of /proc/net/ip_vs_conn. Pure. */
export function ledTo(text: string, vip: Endpoint, localPort: number): string | undefined {
  for (const line of text.split('\n')) {
    const [protocol, , fromPort = '', to = '', toPort = '', server = '', serverPort = ''] = line.trim().split(/ +/)
    if (protocol !== 'TCP' || Number.parseInt(fromPort, 16) !== localPort) continue
    if (Number.parseInt(toPort, 16) !== vip.port || hostOf(to) !== vip.host) continue
    const host = hostOf(server)
    if (host !== undefined) return formatEndpoint({ host, port: Number.parseInt(serverPort, 16) })
  }
  return undefined
}

/** `0A000001`, or an IPv6 address written out. */
const hostOf = (text: string): string | undefined =>
  familyOf(text) === 'ipv6' ? canonicalHost(text) : canonicalHost(Buffer.from(text, 'hex').join('.'))
