import { addAbortSignal, Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { KubeClient } from './types.ts'
import { opened } from './web-socket.ts'

/**
 * A TCP connection to a port of a pod, through the API server and the kubelet (`kubectl port-forward`).
 * It arrives on the pod's loopback, so that no NetworkPolicy stands in its way.
 * Throws `StatusError` or `ConnectionError` when it is refused; errors in the pod (`connection refused`) end the stream.
 */
export async function openPort(
  client: KubeClient,
  { namespace, pod, port }: { namespace: string; pod: string; port: number },
  signal: AbortSignal,
): Promise<Duplex> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`
  const { url, ...options } = await client.webSocket(path)
  const socket = new WebSocket(url, 'v4.channel.k8s.io', { ...options, signal } as WebSocket.ClientOptions)
  // Before it is open: the first messages may come along with the answer.
  // The signal goes on to hold once it is open, for whatever is spoken over it.
  const stream = addAbortSignal(signal, asStream(socket, pod, port))
  await opened(socket, stream, { client, path, signal, what: `port ${port} of pod ${pod}` })
  return stream
}

/** One port has two channels, data 0 and error 1; the first message of each only names the port. */
function asStream(socket: WebSocket, pod: string, port: number): Duplex {
  const named = new Set<number>()
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(Buffer.concat([Buffer.of(0), chunk]), done),
    final: done => {
      // The protocol has no half-close; ending our side ends the connection.
      socket.close()
      done()
    },
    destroy: (error, done) => {
      socket.terminate()
      done(error)
    },
  })
  socket.on('message', (message: Buffer) => {
    const channel = message[0] ?? 0
    if (!named.has(channel)) named.add(channel)
    else if (channel === 1)
      stream.destroy(new Error(`port ${port} of pod ${pod}: ${message.subarray(1).toString().trim()}`))
    else if (!stream.push(message.subarray(1))) socket.pause()
  })
  socket.once('close', () => stream.push(null))
  socket.once('error', error => stream.destroy(error))
  return stream
}
