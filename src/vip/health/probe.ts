import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Endpoint } from '../address.ts'
import { socketWords } from '../socket-words.ts'
import type { Probe } from './judge.ts'

/** Can a TCP connection be made within the time? It ends with a reset, which leaves nothing behind at either end. Never rejects. */
export function probeConnect({ host, port }: Endpoint, timeoutMs: number): Promise<Probe> {
  const startedMs = performance.now()
  return new Promise(resolve => {
    const socket = connect({ host, port })
    const settle = (probe: Probe) => {
      clearTimeout(timer)
      socket.resetAndDestroy()
      resolve(probe)
    }
    const late = () => settle({ probe: 'connect', ok: false, why: `no answer in ${timeoutMs} ms` })
    // If it was us who stood still, the answer is there by now: it is heard before the verdict.
    const timer = setTimeout(() => setImmediate(late), timeoutMs)
    socket.once('connect', () => settle({ probe: 'connect', ok: true, tookMs: performance.now() - startedMs }))
    socket.on('error', error => settle({ probe: 'connect', ok: false, why: describe(error) }))
  })
}

export interface ReadyOptions {
  serverName: string
  timeoutMs: number
  secureContext: SecureContext
  /** Of a service account; read for each question, as the file changes. */
  token(): string | undefined
}

/** One kept connection to one server for `GET /readyz`. */
export interface ReadyProbe {
  /** Never rejects. Nothing where no connection could be made, which is for the other probe to judge. */
  ask(): Promise<Probe | undefined>
  close(): void
}

/** `onLost`: the kept connection broke, which a server that dies does long before the next question. */
export function createReadyProbe({ host, port }: Endpoint, options: ReadyOptions, onLost: () => void): ReadyProbe {
  const { secureContext, serverName, timeoutMs } = options
  // Without resumed sessions: each new connection shows the certificate that is served now.
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0, secureContext })
  let closed = false

  function once(): Promise<{ probe: Probe | undefined; stale: boolean }> {
    const startedMs = performance.now()
    const token = options.token()
    const headers = { 'user-agent': 'karmada-net-vip', ...(token && { authorization: `Bearer ${token}` }) }
    return new Promise(resolve => {
      const outgoing = request({ agent, host, port, path: '/readyz', servername: serverName, headers })
      const settle = (probe: Probe | undefined, stale = false) => {
        clearTimeout(timer)
        resolve({ probe, stale })
      }
      const failed = (why: string) => settle({ probe: 'ready', ok: false, why })
      const late = () => {
        failed(`/readyz: no answer in ${timeoutMs} ms`)
        outgoing.destroy()
      }
      const timer = setTimeout(() => setImmediate(late), timeoutMs)
      outgoing.once('socket', socket => {
        if (outgoing.reusedSocket) return
        socket.once('close', () => {
          if (!closed) onLost()
        })
      })
      outgoing.once('response', answer => {
        answer.resume()
        const status = answer.statusCode ?? 0
        if (isReady(status)) settle({ probe: 'ready', ok: true, tookMs: performance.now() - startedMs })
        else failed(`/readyz answers ${status}`)
      })
      outgoing.on('error', error => {
        if (outgoing.reusedSocket) settle(undefined, true)
        else if (isConnecting(error)) settle(undefined)
        else failed(`/readyz: ${describe(error)}`)
      })
      outgoing.end()
    })
  }

  return {
    async ask() {
      const { probe, stale } = await once()
      // A kept connection that turns out to be closed says nothing about the server.
      const answer = stale && !closed ? (await once()).probe : probe
      if (!closed) return answer
      agent.destroy()
      return undefined
    },
    close() {
      closed = true
      agent.destroy()
    },
  }
}

/** Whoever may not be asked (401, 403), or is too busy for us (429), is an API server at work all the same. */
const isReady = (status: number): boolean => status === 200 || [401, 403, 429].includes(status)

/** Before any byte of TLS. */
const isConnecting = ({ syscall }: NodeJS.ErrnoException): boolean => syscall === 'connect'

function describe({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `wrong certificate: ${message.split('. ').slice(1).join('. ')}`
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return `wrong certificate: ${message}`
  return socketWords[code] ?? message
}
