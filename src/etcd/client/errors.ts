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
  unauthenticated: 16,
} as const

/** What etcd answered, in its own words. HTTP's status differs between versions: only `code` and the message count. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError'
  readonly endpoint: string
  readonly code: number

  constructor(message: string, about: { endpoint: string; code: number }) {
    super(message)
    this.endpoint = about.endpoint
    this.code = about.code
  }
}

export type Unreachable = 'refused' | 'timeout' | 'reset' | 'tls' | 'name' | 'other'

/** No answer came. `failure: 'timeout'` after a write means that it may have happened. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  readonly endpoint: string
  readonly failure: Unreachable

  constructor(message: string, about: { endpoint: string; failure: Unreachable; cause?: unknown }) {
    super(message, { cause: about.cause })
    this.endpoint = about.endpoint
    this.failure = about.failure
  }
}
