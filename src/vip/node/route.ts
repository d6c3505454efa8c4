import { type Endpoint, familyOf } from '../address.ts'

/**
 * For `ip`: makes the VIP an address of this node without giving it to a device. Host, pods and servers on the node itself reach the
 * virtual server by it, and connections leave with the node's own address, so that answers come back. Pure.
 */
export const routeArgs = (vip: string, source: string): string[] => ['route', 'replace', ...route(vip), 'src', source]

/** Pure. */
export const deleteRouteArgs = (vip: string): string[] => ['route', 'del', ...route(vip)]

const route = (vip: string) => ['local', `${vip}/${familyOf(vip) === 'ipv6' ? 128 : 32}`, 'dev', 'lo']

/** The first of the node's addresses that is of the VIP's family. Pure. */
export const nodeAddressFor = (vip: string, nodeIps: readonly string[]): string | undefined =>
  nodeIps.find(ip => familyOf(ip) === familyOf(vip))

/** The address that this node's own connections to a server leave with, by the kernel's routes. Nothing is sent. */
export async function sourceTowards({ host, port }: Endpoint): Promise<string | undefined> {
  // In a pod the node's addresses are given, and it is not needed.
  const { createSocket } = await import('node:dgram')
  const socket = createSocket(familyOf(host) === 'ipv6' ? 'udp6' : 'udp4')
  return new Promise(resolve => {
    const settle = (source: string | undefined) => {
      socket.close()
      resolve(source)
    }
    socket.once('error', () => settle(undefined))
    socket.connect(port, host, () => settle(socket.address().address))
  })
}
