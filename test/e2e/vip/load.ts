import { existsSync, readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Requests as client-go makes them, until a file comes into being; then what became of them. HTTP/2; a connection that is told to go away,
 * or breaks, is replaced; who is told to come again does (its rest/with_retry.go), and so does who was not heard (RFC 9113, section 8.7).
 */
export interface LoadConfig {
  url: string
  path: string
  /** PEM. */
  ca: string
  cert: string
  key: string
  perSecond: number
  /** Each is kept, and used by its share of the requests. */
  connections: number
  /** Every so many requests, one is made on a connection of its own. */
  freshEvery: number
  /** Whoever has no answer by then gives up. Milliseconds. */
  patienceMs: number
  /** A request is asked again no more often than that. */
  retries: number
  until: string
}

export interface LoadTally {
  /** As were begun in one second, on average. */
  perSecond: number
  /** In the order of their ends. */
  requests: LoadRequest[]
}

export interface LoadRequest {
  /** On a connection of its own. */
  fresh: boolean
  /** Milliseconds since 1970. */
  atMs: number
  tookMs: number
  /** How often it was asked again. */
  again: number
  error?: string
}

interface Answer {
  /** What went wrong. */
  error?: string | undefined
  /** The server says that it may be asked again after so long, in milliseconds. */
  againMs?: number | undefined
}

const config = JSON.parse(readFileSync(0, 'utf8')) as LoadConfig
const requests: LoadRequest[] = []

function open(): ClientHttp2Session {
  const { url, ca, cert, key } = config
  const session = connect(url, { ca, cert, key, servername: 'kubernetes' })
  // Its requests hear of it.
  session.on('error', () => undefined)
  return session
}

function ask(session: ClientHttp2Session): Promise<Answer> {
  return new Promise(resolve => {
    const stream = session.request({ ':path': config.path })
    const timer = setTimeout(() => {
      resolve({ error: 'no answer' })
      session.destroy()
    }, config.patienceMs)
    let [status, retryAfter, ended] = [0, Number.NaN, false]
    let broken: string | undefined
    // Why the connection broke says more than that the request did.
    session.once('error', (error: NodeJS.ErrnoException) => {
      broken = error.code ?? error.message
    })
    stream.on('response', headers => {
      status = headers[':status'] ?? 0
      retryAfter = Number.parseInt(headers['retry-after'] ?? '', 10)
    })
    stream.on('end', () => {
      ended = true
    })
    stream.on('error', (error: NodeJS.ErrnoException) => {
      broken ??= error.code ?? error.message
    })
    stream.on('close', () => {
      clearTimeout(timer)
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve({ error: 'refused stream', againMs: 0 })
      else if (broken !== undefined || !ended || status === 0) resolve({ error: broken ?? 'closed without an answer' })
      else if (status === 200) resolve({})
      else resolve({ error: `status ${status}`, againMs: retryAfter >= 0 ? retryAfter * 1000 : undefined })
    })
    stream.resume()
  })
}

/** `index`: of a kept connection; none: on one of its own. */
async function request(index: number | undefined): Promise<void> {
  const startedMs = performance.now()
  for (let again = 0; ; again++) {
    const session = index === undefined ? open() : kept(index)
    const { error, againMs } = await ask(session)
    if (index === undefined) session.close()
    if (error !== undefined && againMs !== undefined && again < config.retries) {
      await sleep(againMs)
      continue
    }
    const tookMs = Math.round(performance.now() - startedMs)
    const atMs = Math.round(performance.timeOrigin + startedMs)
    requests.push({ fresh: index === undefined, atMs, tookMs, again, ...(error !== undefined && { error }) })
    return
  }
}

const sessions = Array.from({ length: config.connections }, openKept)

function openKept(): ClientHttp2Session {
  const session = open()
  session.setMaxListeners(0)
  return session
}

/** The one that is kept in this place, or its successor. */
function kept(index: number): ClientHttp2Session {
  const session = sessions[index]
  if (session && !session.closed && !session.destroyed) return session
  const next = openKept()
  sessions[index] = next
  return next
}

const startedMs = performance.now()
const under: Promise<void>[] = []
let begun = 0
while (!existsSync(config.until)) {
  // As many as are due by now.
  for (const due = ((performance.now() - startedMs) / 1000) * config.perSecond; begun < due; begun++) {
    const fresh = begun % config.freshEvery === 0
    under.push(request(fresh ? undefined : begun % config.connections))
  }
  await sleep(5)
}
const perSecond = Math.round((begun * 1000) / (performance.now() - startedMs))
await Promise.all(under)
// Of a pipe, an exit would lose what has not been read yet.
process.stdout.write(JSON.stringify({ perSecond, requests } satisfies LoadTally), () => process.exit())
