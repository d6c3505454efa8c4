import type { V1Status } from '@kubernetes/client-node'
import { WebSocket } from 'ws'
import type { KubeClient, Wire } from './types.ts'
import { opened } from './web-socket.ts'

/** Channels of `v5.channel.k8s.io`; `close` is followed by the number of the channel that has ended. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const
/** An API server of Kubernetes 1.30 and later; before, a client could not end standard input without ending the command. */
const protocol = 'v5.channel.k8s.io'

export interface ExecTarget {
  namespace: string
  pod: string
  container: string
  command: string[]
}

/**
 * Runs a command in a container (`kubectl exec -i`) and answers what it wrote to standard output. The command must keep that open while it
 * reads: containerd ends standard input along with it, so `sh -c 'cat > file'` loses the rest, and `cat > file && true` does not.
 * Throws `StatusError` or `ConnectionError` when it cannot be started, and `Error` with what it said when it fails.
 */
export async function exec(
  client: KubeClient,
  target: ExecTarget,
  signal: AbortSignal,
  stdin?: AsyncIterable<Uint8Array>,
): Promise<string> {
  const path = pathOf(target, stdin !== undefined)
  const { url, ...options } = await client.webSocket(path)
  const socket = new WebSocket(url, protocol, { ...options, signal } as WebSocket.ClientOptions)
  const abort = () => socket.terminate()
  signal.addEventListener('abort', abort, { once: true })
  const finished = outcome(socket, target)
  // Heard below; a failure must not count as unheard while standard input is still being sent.
  finished.catch(() => undefined)
  try {
    await opened(socket, socket, { client, path, signal, what: 'a command in the pod' })
    if (stdin) await Promise.race([send(socket, stdin), finished])
    return await finished
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
    socket.terminate()
  }
}

function pathOf({ namespace, pod, container, command }: ExecTarget, stdin: boolean): string {
  const query = new URLSearchParams({ container, stdin: String(stdin), stdout: 'true', stderr: 'true' })
  for (const word of command) query.append('command', word)
  return `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query}`
}

async function send(socket: WebSocket, stdin: AsyncIterable<Uint8Array>): Promise<void> {
  // One message at a time is on its way. Why one could not be sent, the command's end tells.
  const put = (first: number, rest: Uint8Array) =>
    new Promise<void>(resolve => socket.send(Buffer.concat([Buffer.of(first), rest]), () => resolve()))
  for await (const chunk of stdin) {
    if (socket.readyState !== WebSocket.OPEN) return
    await put(channel.stdin, chunk)
  }
  await put(channel.close, Buffer.of(channel.stdin))
}

/** The command's own end, whatever may come of its input. */
function outcome(socket: WebSocket, { pod, command }: ExecTarget): Promise<string> {
  const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  let status: Wire<V1Status> | undefined
  socket.on('message', (message: Buffer) => {
    const rest = message.subarray(1)
    if (message[0] === channel.stdout) said.stdout.push(rest)
    else if (message[0] === channel.stderr) said.stderr.push(rest)
    else if (message[0] === channel.status) status = JSON.parse(rest.toString()) as Wire<V1Status>
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => {
      if (status?.status === 'Success') return resolve(Buffer.concat(said.stdout).toString())
      const stderr = Buffer.concat(said.stderr).toString().trim()
      const why = [status?.message ?? 'the connection ended before the command did', stderr].filter(Boolean).join(': ')
      reject(new Error(`${command[0]} in pod ${pod}: ${why}`))
    })
  })
}
