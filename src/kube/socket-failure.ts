/** What went wrong below HTTP, whoever was asked. Each client says it in words of its own. */
export type SocketFailure =
  | { kind: 'refused' | 'unreachable' | 'timeout' | 'name' | 'reset'; words: string }
  | { kind: 'tls'; fault: 'authority' | 'expired' | 'early' | 'plain' }
  /** `names`: what the certificate is for, where it says so; `host`: what was dialled. */
  | { kind: 'tls'; fault: 'name'; names: string | undefined; host: string }
  /** `words` are OpenSSL's; of an alert, what the other side said. */
  | { kind: 'tls'; fault: 'alert' | 'other'; words: string }

/** Node tries all addresses of a name and reports their errors together. */
export function firstOf(error: unknown): NodeJS.ErrnoException {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first : new Error(String(first))
}

/** Undefined: it is none of a socket's, or one that Node's own words say best. */
export function socketFailure(error: NodeJS.ErrnoException): SocketFailure | undefined {
  const [kind, words] = ofConnection[error.code ?? ''] ?? []
  return kind && words !== undefined ? { kind, words } : ofTls(error)
}

const closed = 'the connection was closed before the answer was complete'

/** In the words of Go's dialer. */
const ofConnection: Record<string, [kind: Exclude<SocketFailure['kind'], 'tls'>, words: string]> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ETIMEDOUT: ['timeout', 'i/o timeout'],
  ENOTFOUND: ['name', 'no such host'],
  EAI_AGAIN: ['name', 'the name server does not answer'],
  EHOSTUNREACH: ['unreachable', 'no route to host'],
  ENETUNREACH: ['unreachable', 'network is unreachable'],
  EADDRNOTAVAIL: ['unreachable', 'cannot be dialled from here'],
  ECONNRESET: ['reset', closed],
  EPIPE: ['reset', closed],
  ERR_STREAM_PREMATURE_CLOSE: ['reset', closed],
  ERR_HTTP2_STREAM_ERROR: ['reset', closed],
  ERR_HTTP2_SESSION_ERROR: ['reset', closed],
  ERR_HTTP2_PING_CANCEL: ['reset', closed],
  ERR_HTTP2_GOAWAY_SESSION: ['reset', closed],
}

const foreignAuthority = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
])

type TlsError = NodeJS.ErrnoException & { host?: string; cert?: { subjectaltname?: string } }

function ofTls(error: TlsError): SocketFailure | undefined {
  const kind = 'tls'
  const code = error.code ?? ''
  if (foreignAuthority.has(code)) return { kind, fault: 'authority' }
  if (code === 'CERT_HAS_EXPIRED') return { kind, fault: 'expired' }
  if (code === 'CERT_NOT_YET_VALID') return { kind, fault: 'early' }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = error.cert?.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '')
    return { kind, fault: 'name', names, host: error.host ?? 'this host' }
  }
  const reason = sslReason(error)
  if (reason === undefined) return undefined
  if (/wrong version number|packet length too long/.test(reason)) return { kind, fault: 'plain' }
  // `sslv3 alert ...`, `tlsv13 alert ...`, since OpenSSL 3.2 also `ssl/tls alert ...`.
  const alert = /\balert (.+)$/.exec(reason)?.[1]
  return alert === undefined ? { kind, fault: 'other', words: reason } : { kind, fault: 'alert', words: alert }
}

/** OpenSSL's words, in Node's code of a failed read or in the text of a failed write. */
function sslReason({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  if (/^(ERR_SSL|CERT)_/.test(code)) return code.replace('ERR_SSL_', '').toLowerCase().replaceAll('_', ' ')
  return /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1]
}
