import type { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import type { KubeClient } from './types.ts'

/**
 * Until the API server has opened the socket. Rejects with what `failing`, the socket or what was made of it, fails with, and where
 * the server refuses with its Status.
 */
export function opened(
  socket: WebSocket,
  failing: EventEmitter,
  { client, path, signal, what }: { client: KubeClient; path: string; signal: AbortSignal; what: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve)
    // Stays on: what breaks while nobody listens must not end the program.
    failing.on('error', reject)
    // A refusal is a Status like any other: asked again as a plain request, the server says why.
    socket.once('unexpected-response', async request => {
      request.destroy()
      const answer = await client.stream(path, { signal }).catch((error: unknown) => error)
      reject(answer instanceof Error ? answer : new Error(`the server did not open ${what}`))
    })
  })
}
