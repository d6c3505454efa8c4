import { Agent, request } from 'node:https'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { Endpoint } from '../address.ts'
import { socketWords } from '../socket-words.ts'
import type { Passage, SeenCertificate } from './report.ts'

/** One answer; two SYN retransmissions fit in it. Milliseconds. */
const patienceMs = 4000

export interface PassageOptions {
  vip: string
  serverName: string
  secureContext: SecureContext | undefined
}

/** A connection that stays open: the next one is led elsewhere. */
export interface OpenPassage {
  passage: Passage
  /** Of our end. */
  localPort?: number | undefined
  close(): void
}

/** `GET /readyz` over a connection of its own. Whoever answers, and whatever it shows, is reported; nothing secret is sent. Never rejects. */
export function openPassage({ host, port }: Endpoint, options: PassageOptions): Promise<OpenPassage> {
  const { serverName: servername, secureContext } = options
  const startedMs = performance.now()
  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 })
  const close = () => agent.destroy()
  return new Promise(resolve => {
    let certificate: SeenCertificate | undefined
    let localPort: number | undefined
    const settle = (passage: Passage) => {
      clearTimeout(timer)
      resolve({ passage: { ...passage, ...(certificate && { certificate }) }, localPort, close })
    }
    const outgoing = request({
      ...{ agent, host, port, servername, path: '/readyz', headers: { 'user-agent': 'karmada-net-vip' } },
      // It is judged by whoever reads the report: a wrong one has to be described.
      ...{ rejectUnauthorized: false, ...(secureContext && { secureContext }) },
    })
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${patienceMs / 1000} s`)), patienceMs)
    outgoing.once('socket', socket => {
      socket.once('connect', () => {
        localPort = socket.localPort
      })
      socket.once('secureConnect', () => {
        certificate = seen(socket as TLSSocket, options)
      })
    })
    outgoing.once('response', answer => {
      answer.resume()
      settle({ tookMs: Math.round((performance.now() - startedMs) * 10) / 10, status: answer.statusCode ?? 0 })
    })
    outgoing.on('error', error => settle({ error: describe(error) }))
    outgoing.end()
  })
}

function seen(socket: TLSSocket, { vip, serverName, secureContext }: PassageOptions): SeenCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return undefined
  // The name is compared here, as it may be another than the one that was asked for.
  const error = String(socket.authorizationError ?? '')
  const distrusted = secureContext && !/ALTNAME/.test(error) ? error : ''
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validTo: new Date(certificate.validTo).toISOString(),
    forVip: certificate.checkIP(vip) !== undefined,
    forName: certificate.checkHost(serverName) !== undefined || certificate.checkIP(serverName) !== undefined,
    ...(distrusted !== '' && { distrusted }),
  }
}

const describe = ({ code = '', message }: NodeJS.ErrnoException): string => socketWords[code] ?? message
