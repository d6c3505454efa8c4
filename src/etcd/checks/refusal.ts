import { createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { createAuthority, issue, type KeyPair } from '../../pki/certificate.ts'
import { LateError, unreachable } from '../client/failures.ts'

/** What a port made of a certificate that it must not accept. */
export interface Refusal {
  refused: boolean
  /** In TLS's own words: `certificate required`, `unknown ca`. */
  said: string
}

/** A certificate that looks right and is signed by an authority that nobody knows. Made anew each time; kept nowhere. */
export function foreignIdentity(commonName: string): KeyPair {
  const authority = createAuthority(commonName, { days: 1 })
  const signer = { certificate: authority.certificate, key: createPrivateKey(authority.key) }
  return issue(signer, { commonName, usages: ['client', 'server'], days: 1 })
}

/**
 * Tries to be let in with this certificate, or with none. In TLS 1.3 the handshake is over before the server judges: only the answer to
 * a request tells. Throws UnreachableError when it did not come that far.
 */
export function tryToEnter(
  host: string,
  port: number,
  identity: KeyPair | undefined,
  { timeoutMs = 5000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    let entered = false
    const socket = connect({
      host,
      port,
      // Who answers is the business of another check; nothing secret is said here.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
      ...(identity && { cert: identity.certificate, key: identity.key }),
    })
    const stop = () => socket.destroy(new Error('aborted'))
    const timer = setTimeout(() => socket.destroy(new LateError(timeoutMs, entered ? 'answer' : 'connect')), timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })
    const fail = (error: unknown) => {
      if (signal?.aborted) return reject(signal.reason)
      const alert = alertIn(error)
      if (alert !== undefined) return resolve({ refused: true, said: alert })
      // What we sent and nobody read resets the connection, and may overtake the alert.
      if (entered && !(error instanceof LateError)) return resolve({ refused: true, said: 'connection closed' })
      reject(unreachable(error, `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`))
    }
    socket.once('secureConnect', () => {
      entered = true
      socket.write(`GET /version HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    })
    socket.once('data', (data: Buffer) => {
      resolve({ refused: false, said: data.toString('latin1').split('\r\n')[0] ?? '' })
      socket.destroy()
    })
    socket.once('error', fail)
    socket.once('close', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    })
  })
}

/** `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED` is `certificate required`. */
function alertIn(error: unknown): string | undefined {
  const { code = '' } = error as NodeJS.ErrnoException
  return /^ERR_SSL_.*_ALERT_(.+)$/.exec(code)?.[1]?.toLowerCase().replaceAll('_', ' ')
}
