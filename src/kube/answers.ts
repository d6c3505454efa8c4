import { type RequestInfo, type Status, StatusError } from './errors.ts'

/** What an HTTP status means when the answer holds no Status: `[reason, sentence]`. */
const meanings: Record<number, [reason: string, sentence: string]> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  403: ['Forbidden', 'the server does not allow this request'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  410: ['Gone', 'the item is no longer available on the server'],
  413: ['RequestEntityTooLarge', 'the request is too large for the server'],
  415: ['UnsupportedMediaType', 'the server does not understand the content type of the request'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  500: ['InternalError', 'an error on the server has prevented the request from succeeding'],
  502: ['InternalError', 'a gateway before the server got no proper answer from it'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'the server was unable to answer in the time allotted, but may still be processing the request'],
}

/** The error of an answer of 400 and above: its Status, or a short sentence where something else answered. */
export function statusError(code: number, text: string, request: RequestInfo, retryAfter?: number): StatusError {
  const status = parseStatus(text)
  if (status) return new StatusError({ ...status, code: status.code ?? code }, request, retryAfter)
  const [reason, sentence] = meanings[code] ?? ['', `the server answered with status ${code}`]
  const message = sentence + quoted(text)
  return new StatusError({ apiVersion: 'v1', kind: 'Status', code, reason, message }, request, retryAfter)
}

/**
 * The JSON of a successful answer.
 * Throws `StatusError` with a short sentence for anything else: a login page, a cut-off body.
 */
export function parseAnswer<T>(code: number, text: string, request: RequestInfo): T {
  try {
    return JSON.parse(text) as T
  } catch {
    const message = `${request.method} ${request.path} was not answered with JSON: is ${request.server} a Kubernetes API server?`
    throw new StatusError({ apiVersion: 'v1', kind: 'Status', code, message: message + quoted(text) }, request)
  }
}

function parseStatus(text: string): Status | undefined {
  try {
    const body = JSON.parse(text) as Status | null
    return body?.kind === 'Status' ? body : undefined
  } catch {
    return undefined
  }
}

/** A short plain answer says more than its status (`proxy error: dial tcp ...`); pages, dumps and the status again do not. */
function quoted(text: string): string {
  const line = text.trim()
  return line && line.length <= 200 && !/[<{\n]|^\d{3} /.test(line) ? ` ("${line}")` : ''
}
