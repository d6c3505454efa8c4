import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { familyOf } from '../address.ts'
import type { SysctlReport } from '../report.ts'
import { hexEndpoint } from '../table/read.ts'

const tableFile = '/proc/net/ip_vs'

/** Reads the kernel's table again and again through one buffer: as cheap as it gets, and there is nothing to wait for in /proc. */
export function createTableReader(): { read(): string | undefined } {
  let buffer = Buffer.allocUnsafeSlow(16_384)
  return {
    /** Nothing where the kernel has no IPVS. */
    read() {
      let file: number
      try {
        file = openSync(tableFile, 'r')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      try {
        let length = 0
        for (;;) {
          if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2)
          const got = readSync(file, buffer, length, buffer.length - length, null)
          if (got === 0) return buffer.toString('latin1', 0, length)
          length += got
        }
      } finally {
        closeSync(file)
      }
    },
  }
}

/** What the kernel must be told about virtual servers. */
export const wantedSysctls: readonly (readonly [name: string, value: string])[] = [
  // Without it a stateful firewall takes the answers for strays and drops them.
  ['net.ipv4.vs.conntrack', '1'],
  // A connection to a server that is gone is reset at once instead of hanging.
  ['net.ipv4.vs.expire_nodest_conn', '1'],
  ['net.ipv4.vs.expire_quiescent_template', '1'],
]

/** As they are in this network namespace. */
export function readSysctls(): SysctlReport[] {
  return wantedSysctls.map(([name, wanted]) => {
    const found = readProc(`/proc/sys/${name.replaceAll('.', '/')}`)?.trim()
    return { name, wanted, ...(found !== undefined && { found }) }
  })
}

/** Is the VIP an address of this node by a local route? */
export function readRoutePresent(vip: string): boolean {
  const file = familyOf(vip) === 'ipv6' ? '/proc/net/ipv6_route' : '/proc/net/fib_trie'
  return hasLocalRoute(readProc(file) ?? '', vip)
}

/** The text of /proc/net/fib_trie (IPv4) or /proc/net/ipv6_route. Pure. */
export function hasLocalRoute(text: string, vip: string): boolean {
  if (familyOf(vip) === 'ipv6') {
    const hex = hexEndpoint({ host: vip, port: 1 }).replace(/^\[|\]:.*$|:/g, '')
    // Destination, its prefix in hex ... flags, of which the first bit says "local", device.
    return text.split('\n').some(line => line.startsWith(`${hex} 80 `) && /^[89a-f]/.test(line.split(/ +/)[8] ?? ''))
  }
  const at = text.indexOf(`|-- ${vip}\n`)
  return at !== -1 && /^ +\/32 host LOCAL/.test(text.slice(text.indexOf('\n', at) + 1))
}

/** Nothing where there is none. */
function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
