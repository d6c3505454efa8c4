import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { UserError } from '../../errors.ts'
import { LateError, unreachable } from './failures.ts'
import type { CallLimits, ClientIdentity } from './types.ts'

/** One member's address and who we are to it. */
export interface Connection {
  endpoint: string
  /** Sends once and reads the whole answer within `timeoutMs`. Throws UnreachableError, or the signal's reason. */
  ask(call: Call, limits: Limits): Promise<Answer>
  /** The answer as it comes; `timeoutMs` is until its head. */
  open(call: Call, limits: Limits): Promise<IncomingMessage>
  /** For connections that are not HTTP/1.1. */
  secureContext(): Promise<SecureContext>
  /** A certificate was not accepted: the next call reads ours anew. */
  forget(): void
  close(): void
}

export interface Call {
  method: 'GET' | 'POST'
  path: string
  body?: string | undefined
  /** Once more where a kept connection turns out to be closed. */
  repeatable?: boolean | undefined
}

export interface Answer {
  status: number
  text: string
}

export type Limits = CallLimits & { timeoutMs: number }

/** An answer of which the head is there. */
interface Begun {
  message: IncomingMessage
  text(): Promise<string>
  /** Ends the time limit, and the signal's hold. */
  settle(): void
}

interface Identified {
  secureContext: SecureContext
  agent: Agent
}

/** Its connections are kept. Touches neither files nor the network before the first call. */
export function createConnection(endpoint: string, identity: () => Promise<ClientIdentity>): Connection {
  const url = new URL(endpoint)
  const agents = new Set<Agent>()
  let identified: Promise<Identified> | undefined

  async function identify(): Promise<Identified> {
    const secureContext = contextOf(await identity())
    // Without resumed sessions: each handshake shows the certificate that is served now.
    const agent = new Agent({ keepAlive: true, maxCachedSessions: 0, secureContext })
    agents.add(agent)
    return { secureContext, agent }
  }
  const identifiedOnce = () => {
    identified ??= identify().catch(error => {
      identified = undefined
      throw error
    })
    return identified
  }
  const forget = () => {
    identified = undefined
  }

  async function begin(call: Call, limits: Limits): Promise<Begun> {
    const { agent } = await identifiedOnce()
    limits.signal?.throwIfAborted()
    const outgoing = request({
      agent,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || 443,
      method: call.method,
      path: call.path,
      headers:
        call.body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(call.body) },
    })
    try {
      return await exchange(outgoing, call.body, limits, endpoint)
    } catch (error) {
      if (call.repeatable && wasStale(outgoing, error)) return begin({ ...call, repeatable: false }, limits)
      if (error instanceof Error && 'failure' in error && error.failure === 'tls') forget()
      throw error
    }
  }

  return {
    endpoint,
    async ask(call, limits) {
      const { message, text } = await begin(call, limits)
      return { status: message.statusCode ?? 0, text: await text() }
    },
    async open(call, limits) {
      const { message, settle } = await begin(call, limits)
      settle()
      return message
    },
    secureContext: async () => (await identifiedOnce()).secureContext,
    forget,
    close() {
      // Who comes back later may have another certificate by then.
      forget()
      for (const agent of agents) agent.destroy()
    },
  }
}

function contextOf({ ca, certificate, key }: ClientIdentity): SecureContext {
  try {
    return createSecureContext({ ca, cert: certificate, key })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserError(`our client certificate cannot be used: ${why}`, { cause })
  }
}

/** A member may close a kept connection just as the next request goes out on it. */
function wasStale(outgoing: ClientRequest, error: unknown): boolean {
  return outgoing.reusedSocket && error instanceof Error && 'failure' in error && error.failure === 'reset'
}

function exchange(outgoing: ClientRequest, body: string | undefined, { timeoutMs, signal }: Limits, endpoint: string) {
  return new Promise<Begun>((resolve, reject) => {
    let message: IncomingMessage | undefined
    const end = (reason: Error) => (message ?? outgoing).destroy(reason)
    const onAbort = () => end(asError(signal?.reason))
    const timer = setTimeout(() => end(new LateError(timeoutMs, stageOf(outgoing))), timeoutMs)
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const failure = (error: unknown) => {
      settle()
      return signal?.aborted ? signal.reason : unreachable(error, endpoint)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    outgoing.on('error', error => reject(failure(error)))
    outgoing.on('response', response => {
      message = response
      response.once('close', settle)
      const text = () => readAll(response).catch(error => Promise.reject(failure(error)))
      resolve({ message: response, text, settle })
    })
    outgoing.end(body)
  })
}

function readAll(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    message.once('error', reject)
  })
}

function stageOf({ socket }: ClientRequest): LateError['stage'] {
  if (!socket || socket.connecting) return 'connect'
  return (socket as TLSSocket).getProtocol?.() && !secureConnecting(socket) ? 'answer' : 'handshake'
}

const secureConnecting = (socket: object): boolean => 'secureConnecting' in socket && socket.secureConnecting === true

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))
