import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { LateError, unreachable } from './failures.ts'
import type { CallLimits, ClientIdentity } from './types.ts'

/**
 * The certificate that a port serves now, whoever signed it and however old it is: to be judged by the caller. Also of a peer port,
 * and without an identity. Throws UnreachableError.
 */
export function servedCertificate(
  host: string,
  port: number,
  identity?: ClientIdentity,
  { timeoutMs = 5000, signal }: CallLimits = {},
): Promise<X509Certificate> {
  const endpoint = `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host,
      port,
      // Nothing is sent: what is wrong with the certificate is what the caller wants to know.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
      ...(identity && { ca: identity.ca, cert: identity.certificate, key: identity.key }),
    })
    const timer = setTimeout(
      () => socket.destroy(new LateError(timeoutMs, socket.connecting ? 'connect' : 'handshake')),
      timeoutMs,
    )
    const onAbort = () => socket.destroy(new Error('aborted'))
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('close', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      reject(
        signal?.aborted
          ? signal.reason
          : unreachable(Object.assign(new Error('closed'), { code: 'ECONNRESET' }), endpoint),
      )
    })
    socket.on('error', error => reject(signal?.aborted ? signal.reason : unreachable(error, endpoint)))
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate) resolve(certificate)
      socket.destroy()
    })
    if (signal?.aborted) onAbort()
  })
}
