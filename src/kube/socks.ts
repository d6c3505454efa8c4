import { isIP, isIPv6, type Socket } from 'node:net'

const replies: Record<number, string> = {
  1: 'general failure',
  2: 'connection not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'TTL expired',
}

/** RFC 1928 (and 1929 for a login) on a fresh socket: afterwards it leads to `host:port`. Names are resolved by the proxy. */
export async function connectSocks(
  socket: Socket,
  host: string,
  port: number,
  login: { username: string; password: string },
): Promise<void> {
  const read = exactReader(socket)
  const method = login.username ? 2 : 0
  socket.write(Buffer.from([5, 1, method]))
  const [, chosen] = await read(2)
  if (chosen !== method) throw new Error(login.username ? 'it refuses the login method' : 'it wants a login')
  if (method === 2) {
    const user = Buffer.from(login.username)
    const password = Buffer.from(login.password)
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]))
    if ((await read(2))[1] !== 0) throw new Error('it refuses the login')
  }
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), address(host), Buffer.from([port >> 8, port & 0xff])]))
  const [, reply = 1, , kind] = await read(4)
  if (reply !== 0) throw new Error(`CONNECT ${host}:${port} failed: ${replies[reply] ?? `reply ${reply}`}`)
  // The address that the proxy dials from, of no use here, stands before the first byte of the server.
  const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await read(1))[0] ?? 0)
  await read(length + 2)
}

function address(host: string): Buffer {
  if (isIPv6(host)) {
    const [left = '', right = ''] = host.split('::')
    const groups = (text: string) => (text ? text.split(':').map(group => Number.parseInt(group, 16)) : [])
    const [head, tail] = [groups(left), groups(right)]
    const all = host.includes('::') ? [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail] : head
    return Buffer.from([4, ...all.flatMap(group => [group >> 8, group & 0xff])])
  }
  if (isIP(host)) return Buffer.from([1, ...host.split('.').map(Number)])
  const name = Buffer.from(host)
  return Buffer.concat([Buffer.from([3, name.length]), name])
}

/** Reads exactly as many bytes as asked for and leaves the rest on the socket. */
function exactReader(socket: Socket): (length: number) => Promise<Buffer> {
  return length =>
    new Promise((resolve, reject) => {
      const end = () => finish(() => reject(new Error('it closed the connection')))
      const fail = (error: Error) => finish(() => reject(error))
      const attempt = () => {
        const chunk = length === 0 ? Buffer.alloc(0) : (socket.read(length) as Buffer | null)
        if (chunk) finish(() => resolve(chunk))
      }
      const finish = (settle: () => void) => {
        socket.off('readable', attempt).off('end', end).off('error', fail)
        settle()
      }
      socket.on('readable', attempt).on('end', end).on('error', fail)
      attempt()
    })
}
