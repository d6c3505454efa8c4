import type { V1Status } from '@kubernetes/client-node'
import type { Wire } from './types.ts'

export type Status = Wire<V1Status>

/** What was asked of which server: kept on errors so that their reader can say where. */
export interface RequestInfo {
  context: string
  server: string
  method: string
  /** Path and query below the server. */
  path: string
}

/** The server answered with a failure. `message` is what kubectl prints after `Error from server (Reason): `. */
export class StatusError extends Error {
  readonly code: number
  /** `NotFound`, `Conflict`, ...; empty where the server named none. */
  readonly reason: string
  readonly status: Status
  readonly request: RequestInfo
  /** Seconds from Retry-After, where the server sent it. */
  readonly retryAfter: number | undefined

  constructor(status: Status, request: RequestInfo, retryAfter?: number) {
    super(status.message || `the server answered with status ${status.code ?? 'Failure'}`)
    this.name = 'StatusError'
    this.code = status.code ?? 500
    this.reason = status.reason ?? ''
    this.status = status
    this.request = request
    this.retryAfter = retryAfter
  }
}

export type ConnectionFailure =
  | 'refused'
  | 'timeout'
  | 'dns'
  | 'unreachable'
  | 'reset'
  | 'proxy'
  | 'tls-authority'
  | 'tls-name'
  | 'tls-expired'
  | 'tls'
  | 'other'

/** There was no answer. `message` is a whole sentence as kubectl's; `detail` the short reason for a table. */
export class ConnectionError extends Error {
  readonly failure: ConnectionFailure
  readonly detail: string
  readonly request: RequestInfo
  /** The server closed an idle connection under a request that it never saw: safe to send again. */
  readonly stale: boolean

  constructor(
    failure: ConnectionFailure,
    detail: string,
    request: RequestInfo,
    options: { cause?: unknown; stale?: boolean } = {},
  ) {
    const host = URL.parse(request.server)?.host ?? request.server
    super(
      failure === 'refused'
        ? `The connection to the server ${host} was refused - did you specify the right host or port?`
        : `Unable to connect to the server: ${detail}`,
      { cause: options.cause },
    )
    this.name = 'ConnectionError'
    this.failure = failure
    this.detail = detail
    this.request = request
    this.stale = options.stale ?? false
  }
}

/** Is it a failure that the server answered, of this HTTP status if one is given? */
export function isStatus(error: unknown, code?: number): error is StatusError {
  return error instanceof StatusError && (code === undefined || error.code === code)
}

export const isNotFound = (error: unknown): error is StatusError => isStatus(error, 404)
export const isForbidden = (error: unknown): error is StatusError => isStatus(error, 403)
export const isUnauthorized = (error: unknown): error is StatusError => isStatus(error, 401)
/** 410: the resourceVersion or the page is too old. */
export const isGone = (error: unknown): error is StatusError => isStatus(error, 410)
/** 409 for a stale resourceVersion or another manager's field; not for a name that is taken. */
export const isConflict = (error: unknown): error is StatusError =>
  isStatus(error, 409) && error.reason !== 'AlreadyExists'
export const isConnectionError = (error: unknown): error is ConnectionError => error instanceof ConnectionError

/** Worth trying again without anybody changing anything: no answer for now, or a server that says so. */
export function isTransient(error: unknown): boolean {
  if (isConnectionError(error)) {
    return ['refused', 'timeout', 'unreachable', 'reset', 'proxy', 'other'].includes(error.failure)
  }
  return isStatus(error) && (error.code === 429 || error.code >= 500)
}

/** The fields that another manager owns, from the answer to a server-side apply. Empty for any other error. */
export function applyConflicts(error: unknown): { field: string; manager: string }[] {
  if (!isConflict(error)) return []
  return (error.status.details?.causes ?? [])
    .filter(cause => cause.reason === 'FieldManagerConflict')
    .map(cause => ({
      field: cause.field ?? '',
      manager: /conflict with "([^"]*)"/.exec(cause.message ?? '')?.[1] ?? '',
    }))
}

/** The lines that kubectl prints for an API error, without the leading `error: ` (there is none before `Error from server`). */
export function describeStatus(error: StatusError): string {
  if (error.reason === 'Unauthorized') return `error: You must be logged in to the server (${error.message})`
  if (error.reason === 'Invalid') return describeInvalid(error)
  return `Error from server${error.reason ? ` (${error.reason})` : ''}: ${error.message}`
}

function describeInvalid({ message, status: { details } }: StatusError): string {
  const named = details?.kind || details?.name
  const what = named ? `The ${details.kind} "${details.name}" is invalid` : 'The request is invalid'
  const causes = new Set(details?.causes?.map(({ field, message }) => (field ? `${field}: ${message}` : `${message}`)))
  if (!causes.size) return named ? what : `${what}: ${message}`
  if (causes.size === 1) return `${what}: ${[...causes][0]}`
  return [`${what}: `, ...[...causes].map(cause => `* ${cause}`)].join('\n')
}
