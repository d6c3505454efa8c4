import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Connection, Limits } from './connection.ts'
import { code, EtcdError } from './errors.ts'
import { LateError, unreachable } from './failures.ts'
import { createMessageReader } from './grpc-frames.ts'

/** gRPC is not spoken there, or something on the way does not let it through: the JSON gateway may do. */
export class NoGrpcError extends Error {}

const path = '/etcdserverpb.Maintenance/Snapshot'
/** Field of SnapshotResponse. */
const blob = 3
/** An empty message: not compressed, no bytes. */
const emptyRequest = Buffer.alloc(5)
/** What may be on its way unread: enough for 80 MB/s over 50 ms, and for a machine so busy that each end waits for its turn. */
const windowBytes = 4 << 20

/**
 * Over gRPC, on HTTP/2 by hand. Reads no faster than it is consumed. `timeoutMs` is how long the member may be silent.
 * Throws NoGrpcError before the first byte, EtcdError, UnreachableError, or the signal's reason.
 */
export async function* grpcSnapshot(connection: Connection, limits: Limits): AsyncGenerator<Uint8Array> {
  const { endpoint } = connection
  const secureContext = await connection.secureContext()
  limits.signal?.throwIfAborted()
  const session = connect(endpoint, { secureContext, settings: { initialWindowSize: windowBytes, enablePush: false } })
  const dying = supervise(session, limits)
  let begun = false
  try {
    await connected(session, dying)
    session.setLocalWindowSize(windowBytes)
    const stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      { endStream: false },
    )
    stream.end(emptyRequest)
    let trailers: IncomingHttpHeaders = {}
    stream.once('trailers', found => {
      trailers = found
    })
    // An error without a message comes as a head alone.
    throwIfFailed(await headOf(stream), endpoint)
    begun = true
    const reader = createMessageReader(blob)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      dying.pause()
      const found = together(chunk, reader.pieces(chunk))
      if (found.length > 0) yield found
      dying.alive()
    }
    throwIfFailed(trailers, endpoint)
    // Without a status the connection broke in the middle.
    if (trailers['grpc-status'] === undefined || reader.unfinished()) throw closed()
  } catch (error) {
    throw own(dying.reason ?? error, connection, { signal: limits.signal, begun })
  } finally {
    dying.end()
    session.destroy()
  }
}

interface Dying {
  /** Why it was ended from here. */
  readonly reason: unknown
  /** Something has come. */
  alive(): void
  /** From now on it is us who are slow, not the member. */
  pause(): void
  end(): void
}

/** Ends the session when the member is silent for too long, or nobody wants it any more. */
function supervise(session: ClientHttp2Session, { timeoutMs, signal }: Limits): Dying {
  let reason: unknown
  let paused = false
  const kill = (why: unknown) => {
    reason ??= why
    session.destroy(new Error('ended'), constants.NGHTTP2_CANCEL)
  }
  const late = () => {
    if (paused) return timer.refresh()
    return kill(new LateError(timeoutMs, session.connecting ? 'connect' : 'answer'))
  }
  const timer = setTimeout(late, timeoutMs)
  const onAbort = () => kill(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  // Its errors come out of what waits for it.
  session.on('error', () => undefined)
  return {
    get reason() {
      return reason
    },
    alive() {
      paused = false
      timer.refresh()
    },
    pause() {
      paused = true
    },
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

function connected(session: ClientHttp2Session, dying: Dying): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('connect', (_, socket) => {
      dying.alive()
      if ((socket as TLSSocket).alpnProtocol === 'h2') resolve()
      else reject(new NoGrpcError('HTTP/2 is not spoken there'))
    })
    session.once('error', reject)
    session.once('close', () => reject(closed()))
  })
}

/** Moves a chunk's pieces to its beginning, so that it is handed over once and not piece by piece. */
function together(chunk: Buffer, pieces: readonly Uint8Array[]): Buffer {
  let end = 0
  for (const piece of pieces) {
    const start = piece.byteOffset - chunk.byteOffset
    if (start > end) chunk.copyWithin(end, start, start + piece.length)
    end += piece.length
  }
  return chunk.subarray(0, end)
}

function headOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', head => {
      const type = head['content-type'] ?? ''
      if (head[':status'] === constants.HTTP_STATUS_OK && type.startsWith('application/grpc')) resolve(head)
      else reject(new NoGrpcError(`HTTP ${head[':status']} ${type}`))
    })
    stream.once('error', reject)
    stream.once('close', () => reject(closed()))
  })
}

function throwIfFailed(headers: IncomingHttpHeaders, endpoint: string): void {
  const status = Number(headers['grpc-status'] ?? 0)
  if (status === 0) return
  const said = percentDecoded(String(headers['grpc-message'] ?? '')) || `gRPC status ${status}`
  throw new EtcdError(said, { endpoint, code: status })
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const closed = () => Object.assign(new Error('closed'), { code: 'ECONNRESET' })

/** nghttp2 says this of an answer in HTTP/1.1; OpenSSL the other, where the two ends have no protocol in common. */
const notSpoken = /ERR_HTTP2_ERROR|NO_APPLICATION_PROTOCOL/

function own(
  error: unknown,
  connection: Connection,
  { signal, begun }: { signal: AbortSignal | undefined; begun: boolean },
): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof NoGrpcError) return error
  // Once something has come, beginning anew in another way would give it twice.
  if (error instanceof EtcdError)
    return error.code === code.unimplemented && !begun ? new NoGrpcError(error.said) : error
  const strange = error instanceof Error && 'code' in error && notSpoken.test(String(error.code))
  if (strange && !begun) return new NoGrpcError(error.message)
  const failure = unreachable(error, connection.endpoint)
  if (failure.failure === 'tls') connection.forget()
  return failure
}
