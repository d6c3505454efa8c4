import { ConnectionError, type ConnectionFailure, type RequestInfo } from './errors.ts'
import { firstOf, type SocketFailure, socketFailure } from './socket-failure.ts'

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

type Facts = [failure: ConnectionFailure, detail: string]

/** A ConnectionError that says in kubectl's words what Node's socket or TLS error means. */
export function connectionError(error: unknown, request: RequestInfo, stale = false): ConnectionError {
  if (error instanceof ConnectionError) return error
  const cause = firstOf(error)
  const [failure, detail] = explain(cause, request)
  return new ConnectionError(failure, detail, request, { cause, stale })
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
  const found = socketFailure(error)
  if (!found) return ['other', error.message]
  if (found.kind === 'tls') return tlsFacts(found)
  if (found.kind === 'name') return ['dns', `lookup ${url.hostname}: ${found.words}`]
  return [found.kind, `${found.kind === 'reset' ? '' : 'dial '}${address}: ${found.words}`]
}

/** The words for an error of a connection to somebody else than the API server. */
export function describeSocketError(error: unknown): string {
  const first = firstOf(error)
  const found = socketFailure(first)
  return found && found.kind !== 'tls' ? found.words : first.message
}

function tlsFacts(found: SocketFailure & { kind: 'tls' }): Facts {
  const failed = 'tls: failed to verify certificate: x509: '
  switch (found.fault) {
    case 'authority':
      return ['tls-authority', `${failed}certificate signed by unknown authority`]
    case 'expired':
      return ['tls-expired', `${failed}certificate has expired`]
    case 'early':
      return ['tls-expired', `${failed}certificate is not yet valid`]
    case 'name': {
      const valid = found.names ? `valid for ${found.names}, not` : 'not valid for'
      return ['tls-name', `${failed}certificate is ${valid} ${found.host}`]
    }
    case 'plain':
      return ['tls', 'the server answered in plain HTTP to an HTTPS client']
    case 'alert':
      return ['tls', `remote error: tls: ${found.words}`]
    case 'other':
      return ['tls', `tls: ${found.words}`]
  }
}
