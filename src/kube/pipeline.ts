import type { OutgoingHttpHeaders } from 'node:http'
import type { Connection } from './connection.ts'
import { impersonation } from './credentials.ts'
import type { Dialer } from './dialer.ts'
import { ConnectionError, type RequestInfo } from './errors.ts'
import type { Credentials, Identity } from './identity.ts'
import { logHeaders, logRequest, logStart, type RequestLog } from './log.ts'
import { orAborted, pause } from './pause.ts'
import { type Answer, send } from './send.ts'
import type { WebSocketTarget } from './types.ts'
import { warningTexts } from './warnings.ts'

/** As client-go: the first try and nine more. */
const maxTries = 10
/** A server that asks for more patience than this gets its next request early rather than a command that seems to hang. */
const longestWaitMs = 30_000

export interface Call {
  method: string
  /** Path and query below the server's own path. */
  path: string
  headers?: OutgoingHttpHeaders | undefined
  body?: string | Uint8Array | undefined
  signal?: AbortSignal | undefined
  timeoutMs: number
  /** Sending it twice does what sending it once does. */
  idempotent: boolean
}

export interface Pipeline {
  connection: Connection
  dialer: Dialer
  credentials: Credentials
  log: RequestLog | undefined
  warn(text: string): void
  userAgent: string
}

/**
 * One call with everything around it: credentials, one renewal of them after 401, retries, log lines and warnings.
 * Rejects with `ConnectionError`, `UserError` (no credentials) or the signal's reason; any HTTP status is an answer.
 */
export async function perform(pipeline: Pipeline, call: Call): Promise<Answer> {
  let renewed = false
  let stale = 0
  for (let tries = 1; ; tries++) {
    call.signal?.throwIfAborted()
    // A login may take as long as its user; only the signal ends that.
    const identity = await orAborted(pipeline.credentials.current(), call.signal)
    let answer: Answer
    try {
      answer = await attempt(pipeline, call, identity)
    } catch (error) {
      // Each try takes one dead connection out of the pool; a few may have died together.
      if (error instanceof ConnectionError && error.stale && call.idempotent && ++stale <= 5) continue
      throw error
    }
    if (answer.status === 401 && !renewed && (await pipeline.credentials.renew(identity))) {
      renewed = true
      await answer.text()
      continue
    }
    const waitMs = retryAfterMs(answer)
    if (waitMs !== undefined && tries < maxTries) {
      await answer.text()
      await pause(Math.min(waitMs, longestWaitMs), call.signal)
      continue
    }
    for (const text of warningTexts(answer.headers['warning'])) pipeline.warn(text)
    return answer
  }
}

/** What a WebSocket library needs to open `path` as this user. Throws `UserError` when there are no credentials. */
export async function webSocketTarget(
  { connection, dialer, credentials, userAgent }: Pipeline,
  path: string,
): Promise<WebSocketTarget> {
  const identity = await credentials.current()
  return {
    url: connection.cluster.server.replace(/^http/, 'ws') + path,
    agent: await dialer.agent(identity.certificate),
    headers: { 'User-Agent': userAgent, ...impersonation(connection.user), ...identity.headers },
  }
}

async function attempt(pipeline: Pipeline, call: Call, identity: Identity): Promise<Answer> {
  const { connection, dialer, log } = pipeline
  const info: RequestInfo = {
    context: connection.context,
    server: connection.cluster.server,
    method: call.method,
    path: call.path,
  }
  const headers: OutgoingHttpHeaders = {
    Accept: 'application/json, */*',
    'User-Agent': pipeline.userAgent,
    ...call.headers,
    ...impersonation(connection.user),
    ...identity.headers,
    ...(call.body === undefined ? {} : { 'Content-Length': Buffer.byteLength(call.body) }),
  }
  logHeaders(log, `${call.method} ${info.server}${call.path}, request headers`, headers)
  const request = { method: call.method, url: info.server + call.path, startedMs: logStart(log) }
  try {
    const agent = await dialer.agent(identity.certificate)
    const answer = await send(dialer.start(agent, { method: call.method, path: call.path, headers }), info, call)
    logRequest(log, request, `${answer.status} ${answer.statusText}`)
    logHeaders(log, 'Response headers', answer.headers)
    return answer
  } catch (error) {
    logRequest(log, request, undefined)
    throw error
  }
}

/** How long the server asks to wait before the same request again; undefined where it asks for nothing. */
function retryAfterMs({ status, headers }: Answer): number | undefined {
  if (status !== 429 && status < 500) return undefined
  const seconds = headers['retry-after']
  return seconds && /^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined
}
