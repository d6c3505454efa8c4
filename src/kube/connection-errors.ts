import { ConnectionError, type ConnectionFailure, type RequestInfo } from './errors.ts'

/** No answer within the request's own time limit. */
export class TimeoutError extends Error {
  readonly timeoutMs: number
  /** Was there a connection by then? */
  readonly connected: boolean

  constructor(timeoutMs: number, connected: boolean) {
    super(`no answer in ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
    this.connected = connected
  }
}

/** The proxy on the way said no. */
export class ProxyError extends Error {}

const authorityCodes = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]

type Facts = [failure: ConnectionFailure, detail: string]

/** A ConnectionError that says in kubectl's words what Node's socket or TLS error means. */
export function connectionError(error: unknown, request: RequestInfo, stale = false): ConnectionError {
  if (error instanceof ConnectionError) return error
  const cause = firstOf(error)
  const [failure, detail] = explain(cause, request)
  return new ConnectionError(failure, detail, request, { cause, stale })
}

/** Node tries all addresses of a name and reports their errors together. */
function firstOf(error: unknown): NodeJS.ErrnoException {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first : new Error(String(first))
}

function explain(error: NodeJS.ErrnoException, request: RequestInfo): Facts {
  const url = new URL(request.server)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const address = `${url.hostname}:${port}`
  if (error instanceof ProxyError) return ['proxy', error.message]
  if (error instanceof TimeoutError) {
    const seconds = `${error.timeoutMs / 1000}s`
    if (!error.connected) return ['timeout', `dial ${address}: no answer in ${seconds}`]
    return ['timeout', `${request.method} ${request.server}${request.path}: no answer in ${seconds}`]
  }
  return explainSocket(error, url, address) ?? explainTls(error) ?? ['other', error.message]
}

/** What a socket's error code means, in the words of Go's dialer. */
const socketErrors: Record<string, Facts> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ETIMEDOUT: ['timeout', 'i/o timeout'],
  ENOTFOUND: ['dns', 'no such host'],
  EAI_AGAIN: ['dns', 'the name server does not answer'],
  EHOSTUNREACH: ['unreachable', 'no route to host'],
  ENETUNREACH: ['unreachable', 'network is unreachable'],
  ECONNRESET: ['reset', 'the connection was closed before the answer was complete'],
  EPIPE: ['reset', 'the connection was closed before the answer was complete'],
}

/** The words for an error of a connection to somebody else than the API server. */
export function describeSocketError(error: unknown): string {
  const { code, message } = firstOf(error)
  return socketErrors[code ?? '']?.[1] ?? message
}

function explainSocket({ code }: NodeJS.ErrnoException, url: URL, address: string): Facts | undefined {
  const [failure, words] = socketErrors[code ?? ''] ?? []
  if (!failure) return undefined
  if (failure === 'dns') return [failure, `lookup ${url.hostname}: ${words}`]
  return [failure, `${failure === 'reset' ? '' : 'dial '}${address}: ${words}`]
}

function explainTls(
  error: NodeJS.ErrnoException & { reason?: string; cert?: object; host?: string },
): Facts | undefined {
  const code = error.code ?? ''
  const failed = 'tls: failed to verify certificate: x509: '
  if (authorityCodes.includes(code)) return ['tls-authority', `${failed}certificate signed by unknown authority`]
  if (code === 'CERT_HAS_EXPIRED') return ['tls-expired', `${failed}certificate has expired`]
  if (code === 'CERT_NOT_YET_VALID') return ['tls-expired', `${failed}certificate is not yet valid`]
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return ['tls-name', failed + nameMismatch(error)]
  const reason = sslReason(error, code)
  if (reason === 'wrong version number' || reason === 'packet length too long') {
    return ['tls', 'the server answered in plain HTTP to an HTTPS client']
  }
  const alert = /^(?:sslv3|tlsv1|tlsv13) alert (.+)$/.exec(reason ?? '')?.[1]
  if (alert) return ['tls', `remote error: tls: ${alert}`]
  return reason ? ['tls', `tls: ${reason}`] : undefined
}

/** OpenSSL's words, in Node's code of a failed read or in the text of a failed write. */
function sslReason({ message }: Error, code: string): string | undefined {
  if (/^(ERR_SSL|CERT)_/.test(code)) return code.replace('ERR_SSL_', '').toLowerCase().replaceAll('_', ' ')
  return /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1]
}

function nameMismatch(error: { reason?: string; host?: string; cert?: object }): string {
  const names = (error.cert as { subjectaltname?: string } | undefined)?.subjectaltname
  const valid = names?.replaceAll(/(DNS|IP Address):/g, '')
  return valid ? `certificate is valid for ${valid}, not ${error.host}` : `certificate is not valid for ${error.host}`
}
