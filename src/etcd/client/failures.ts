import { firstOf, type SocketFailure, socketFailure } from '../../kube/socket-failure.ts'
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
  const { failure, words, hint } = lateness(cause) ?? ofSocket(cause) ?? other(cause)
  return new UnreachableError(`${endpoint}: ${words}`, { endpoint, failure, hint, cause })
}

const other = ({ code, message }: NodeJS.ErrnoException): Facts => ({
  failure: 'other',
  words: code === 'HPE_INVALID_CONSTANT' ? 'what answers there is no etcd' : message,
})

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

function ofSocket(error: NodeJS.ErrnoException): Facts | undefined {
  const found = socketFailure(error)
  if (!found) return undefined
  if (found.kind === 'tls') return tlsFailure(found)
  if (found.kind === 'timeout') return { failure: 'timeout', words: 'no answer from the network' }
  return { failure: found.kind === 'unreachable' ? 'refused' : found.kind, words: found.words }
}

const rotate =
  'kubectl karmada-net etcd certs status shows every certificate, kubectl karmada-net etcd certs rotate renews them'

const compareClocks = 'compare "date -u" here and there'

function tlsFailure(found: SocketFailure & { kind: 'tls' }): Facts {
  const said = (words: string, hint?: string): Facts => ({ failure: 'tls', words, hint })
  switch (found.fault) {
    case 'authority':
      return said('its certificate was signed by a certificate authority that is not the one of this cluster')
    case 'expired':
      return said('its certificate has expired', rotate)
    case 'early':
      return said('its certificate is not valid yet: one of the two clocks is wrong', compareClocks)
    case 'name':
      return said(`its certificate is ${found.names ? `for ${found.names}, ` : ''}not for ${found.host}`, rotate)
    case 'plain':
      return said('it speaks plain http there, not TLS')
    case 'alert':
      return alertFailure(found.words, said)
    case 'other':
      return said(`TLS failed: ${found.words}`)
  }
}

/** What the other side says of our certificate. Go says `bad certificate` for almost everything. */
function alertFailure(alert: string, said: (words: string, hint?: string) => Facts): Facts {
  if (alert === 'certificate required') return said('it asks for a client certificate and got none')
  if (alert === 'unknown ca') return said('it does not know the certificate authority of our client certificate')
  // Go says the same of one that is not valid yet.
  if (alert === 'certificate expired')
    return said('by its clock our client certificate has expired or is not valid yet', `${compareClocks}; ${rotate}`)
  if (/certificate/.test(alert)) return said(`it does not accept our client certificate (${alert})`)
  return said(`it ended TLS: ${alert}`)
}
