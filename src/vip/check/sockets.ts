import { type Endpoint, hostOf } from '../address.ts'

/** Where something listens, by the texts of /proc/net/tcp and tcp6. An IPv4 address in IPv6 clothes is an IPv4 address. Pure. */
export function listeners(tcp: string, tcp6: string): Endpoint[] {
  return [tcp, tcp6].flatMap(text =>
    text.split('\n').flatMap(line => {
      const [, address = '', port = ''] = /^ *\d+: ([\dA-F]+):([\dA-F]{4}) [\dA-F]+:[\dA-F]{4} 0A /.exec(line) ?? []
      const bytes = inOrder(address)
      if (bytes.length === 0) return []
      return [{ host: hostOf(isMapped(bytes) ? bytes.slice(12) : bytes), port: Number.parseInt(port, 16) }]
    }),
  )
}

/** Words of four bytes stand there as a little-endian processor reads them. */
const inOrder = (hex: string): number[] =>
  (hex.match(/.{8}/g) ?? []).flatMap(word => [...Buffer.from(word, 'hex')].reverse())

const isMapped = (bytes: readonly number[]): boolean =>
  bytes.length === 16 && bytes.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 255))
