import { UserError } from '../../errors.ts'

/** gRPC's codes, as far as etcd answers with them. */
export const code = {
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

/** What etcd answered: `https://10.0.0.1:2379: ` and its own words. HTTP's status differs between versions: only `code` and `said` count. */
export class EtcdError extends UserError {
  override readonly name = 'EtcdError'
  readonly endpoint: string
  readonly code: number
  /** etcd's words alone: `etcdserver: unhealthy cluster`. */
  readonly said: string

  constructor(said: string, about: { endpoint: string; code: number }) {
    super(`${about.endpoint}: ${said}`)
    this.endpoint = about.endpoint
    this.code = about.code
    this.said = said
  }
}

export type Unreachable = 'refused' | 'timeout' | 'reset' | 'tls' | 'name' | 'other'

/** No answer came. `failure: 'timeout'` after a write means that it may have happened. */
export class UnreachableError extends UserError {
  override readonly name = 'UnreachableError'
  readonly endpoint: string
  readonly failure: Unreachable

  constructor(
    message: string,
    about: { endpoint: string; failure: Unreachable; hint?: string | undefined; cause?: unknown },
  ) {
    super(message, { hint: about.hint, cause: about.cause })
    this.endpoint = about.endpoint
    this.failure = about.failure
  }
}
