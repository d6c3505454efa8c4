import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connectionError, TimeoutError } from './connection-errors.ts'
import type { RequestInfo } from './errors.ts'

/** An answer whose body has not been read yet. */
export interface Answer {
  status: number
  statusText: string
  headers: IncomingHttpHeaders
  /** The whole body, within what is left of the request's time. */
  text(): Promise<string>
  /** The body as it arrives, without a time limit. Leaving the loop closes the connection. */
  chunks(): AsyncIterable<Uint8Array>
}

interface SendOptions {
  body?: string | Uint8Array | undefined
  signal?: AbortSignal | undefined
  /** Milliseconds until the end of the body (`text`) or the first of it (`chunks`); 0: no limit. */
  timeoutMs: number
}

/**
 * Sends one prepared request once. Rejects with `ConnectionError`, or with the signal's reason when that ended it.
 * The caller reads the answer by exactly one of `text` and `chunks`.
 */
export function send(request: ClientRequest, info: RequestInfo, options: SendOptions): Promise<Answer> {
  const { signal, timeoutMs } = options
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined
    let ended: { reason: unknown } | undefined
    const end = (reason: unknown) => {
      ended ??= { reason }
      const target = response ?? request
      target.destroy(reason instanceof Error ? reason : new Error(String(reason)))
    }
    const onAbort = () => end(signal?.reason)
    const timer = timeoutMs
      ? setTimeout(() => end(new TimeoutError(timeoutMs, connected(request))), timeoutMs)
      : undefined
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const failure = (error: unknown, stale: boolean) => {
      settle()
      if (signal?.aborted) return signal.reason
      return connectionError(ended?.reason ?? error, info, stale)
    }

    if (signal?.aborted) {
      request.destroy()
      request.on('error', () => undefined)
      return reject(signal.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    request.on('error', error => reject(failure(error, !ended && !response && wasStale(request, error))))
    request.on('response', message => {
      response = message
      message.once('close', settle)
      resolve({
        status: message.statusCode ?? 0,
        statusText: message.statusMessage ?? '',
        headers: message.headers,
        text: () => readAll(message, failure),
        chunks: () => {
          clearTimeout(timer)
          return readChunks(message, failure)
        },
      })
    })
    request.end(options.body)
  })
}

type Failure = (error: unknown, stale: boolean) => unknown

/** By events: a start pays 2 ms for its first `for await` over a stream. */
function readAll(message: IncomingMessage, failure: Failure): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(failure(error, false))
    // It may have been cut off before anyone reads it.
    if (message.destroyed) return fail(message.errored ?? Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    message.once('error', fail)
  })
}

async function* readChunks(message: IncomingMessage, failure: Failure): AsyncIterable<Uint8Array> {
  try {
    yield* message as AsyncIterable<Buffer>
  } catch (error) {
    throw failure(error, false)
  }
}

function connected(request: ClientRequest): boolean {
  return request.socket !== null && !request.socket.connecting && request.socket.bytesWritten > 0
}

/** A server may close a kept connection just as the next request goes out on it. */
function wasStale(request: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}
