import { type Unreachable, UnreachableError } from './errors.ts'

/** No answer within the call's own time limit. */
export class LateError extends Error {
  readonly timeoutMs: number
  /** How far it came by then: without TLS a member that is stopped but not dead looks as if it were there. */
  readonly stage: 'connect' | 'handshake' | 'answer'

  constructor(timeoutMs: number, stage: LateError['stage']) {
    super(`no answer in ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
    this.stage = stage
  }
}

type Facts = { failure: Unreachable; words: string; hint?: string | undefined }

/** Says in plain words what a socket's or TLS's error means. */
export function unreachable(error: unknown, endpoint: string): UnreachableError {
  if (error instanceof UnreachableError) return error
  const cause = firstOf(error)
  const { failure, words, hint } =
    lateness(cause) ?? socketFailure(cause) ?? tlsFailure(cause, endpoint) ?? other(cause)
  return new UnreachableError(`${endpoint}: ${words}`, { endpoint, failure, hint, cause })
}

/** Node tries all addresses of a name and reports their errors together. */
function firstOf(error: unknown): NodeJS.ErrnoException {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first : new Error(String(first))
}

const other = ({ message }: Error): Facts => ({ failure: 'other', words: message })

function lateness(error: Error): Facts | undefined {
  if (!(error instanceof LateError)) return undefined
  const seconds = `${error.timeoutMs / 1000}s`
  const words = {
    connect: `no connection in ${seconds}`,
    handshake: `it took the connection and said nothing in ${seconds}`,
    answer: `no answer in ${seconds}`,
  }
  return { failure: 'timeout', words: words[error.stage] }
}

const closed = 'the connection was closed before the answer was complete'
const socketFailures: Record<string, [Unreachable, string]> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ETIMEDOUT: ['timeout', 'no answer from the network'],
  ENOTFOUND: ['name', 'no such host'],
  EAI_AGAIN: ['name', 'the name server does not answer'],
  EHOSTUNREACH: ['refused', 'no route to host'],
  ENETUNREACH: ['refused', 'network is unreachable'],
  EADDRNOTAVAIL: ['refused', 'cannot be dialled from here'],
  ECONNRESET: ['reset', closed],
  EPIPE: ['reset', closed],
  ERR_HTTP2_STREAM_ERROR: ['reset', closed],
  ERR_HTTP2_SESSION_ERROR: ['reset', closed],
  ERR_HTTP2_PING_CANCEL: ['reset', closed],
  ERR_HTTP2_GOAWAY_SESSION: ['reset', closed],
  ERR_STREAM_PREMATURE_CLOSE: ['reset', closed],
  HPE_INVALID_CONSTANT: ['other', 'what answers there is no etcd'],
}

function socketFailure({ code = '' }: NodeJS.ErrnoException): Facts | undefined {
  const [failure, words] = socketFailures[code] ?? []
  return failure && words !== undefined ? { failure, words } : undefined
}

const rotate =
  'kubectl karmada-net etcd certs status shows every certificate, kubectl karmada-net etcd certs rotate renews them'
const foreign = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
])

function tlsFailure(error: NodeJS.ErrnoException, endpoint: string): Facts | undefined {
  const said = (words: string, hint?: string): Facts => ({ failure: 'tls', words, hint })
  const code = error.code ?? ''
  if (foreign.has(code))
    return said('its certificate was signed by a certificate authority that is not the one of this cluster')
  if (code === 'CERT_HAS_EXPIRED') return said('its certificate has expired', rotate)
  if (code === 'CERT_NOT_YET_VALID') return said('its certificate is not valid yet: one of the two clocks is wrong')
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return said(nameMismatch(error, endpoint), rotate)
  const reason = sslReason(error)
  if (reason === undefined) return undefined
  if (/wrong version number|packet length too long/.test(reason)) return said('it speaks plain http there, not TLS')
  const alert = /alert (.+)$/.exec(reason)?.[1]
  return alert === undefined ? said(`TLS failed: ${reason}`) : alertFailure(alert, said)
}

/** What the other side says of our certificate. Go says `bad certificate` for almost everything. */
function alertFailure(alert: string, said: (words: string, hint?: string) => Facts): Facts {
  if (alert === 'certificate required') return said('it asks for a client certificate and got none')
  if (alert === 'unknown ca') return said('it does not know the certificate authority of our client certificate')
  if (alert === 'certificate expired') return said('our client certificate has expired', rotate)
  if (/certificate/.test(alert)) return said(`it does not accept our client certificate (${alert})`)
  return said(`it ended TLS: ${alert}`)
}

/** OpenSSL's words, in Node's code of a failed read or in the text of a failed write. */
function sslReason({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  if (/^ERR_SSL_/.test(code)) return code.replace('ERR_SSL_', '').toLowerCase().replaceAll('_', ' ')
  return /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1]
}

function nameMismatch(error: Error & { cert?: { subjectaltname?: string } }, endpoint: string): string {
  const { hostname } = new URL(endpoint)
  const names = error.cert?.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '')
  return `its certificate is ${names ? `for ${names}, ` : ''}not for ${hostname.replace(/^\[|\]$/g, '')}`
}
