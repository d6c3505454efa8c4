import { code, EtcdError } from './errors.ts'

/** Bodies of errors: `{code, message}`; below 3.6 with `error` as well; inside a stream below `error`. */
interface ErrorBody {
  code?: number
  grpc_code?: number
  message?: string
  error?: string | ErrorBody
}

/** HTTP's status where there is no body of etcd's to read: a proxy's, or plain text. */
const codeOfStatus: Record<number, number> = {
  400: code.invalidArgument,
  401: code.unauthenticated,
  403: code.permissionDenied,
  404: code.unimplemented,
  405: code.unimplemented,
  429: code.resourceExhausted,
  501: code.unimplemented,
  502: code.unavailable,
  503: code.unavailable,
  504: code.deadlineExceeded,
}

/** What is in a good answer. Throws EtcdError for any other. */
export function parseAnswer<T>(endpoint: string, { status, text }: { status: number; text: string }): T {
  const body = parse(text)
  if (status === 200 && body !== undefined) return body as T
  throw errorOf(endpoint, status, text, body)
}

/** The messages of a stream that has ended. Throws EtcdError where one of them is an error. */
export function parseStream<T>(endpoint: string, { status, text }: { status: number; text: string }): T[] {
  if (status !== 200) throw errorOf(endpoint, status, text, parse(text))
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => parseMessage<T>(endpoint, line))
}

/** One line of a stream: `{"result": ...}` or `{"error": ...}`. Throws EtcdError. */
export function parseMessage<T>(endpoint: string, line: string): T {
  const message = parse(line) as { result?: T; error?: ErrorBody } | undefined
  if (message?.result !== undefined) return message.result
  throw errorOf(endpoint, 0, line, message)
}

function errorOf(endpoint: string, status: number, text: string, body: unknown): EtcdError {
  const { message, ...rest } = flat(body)
  const said = message || oneLine(text) || `HTTP ${status}`
  return new EtcdError(said, { endpoint, code: rest.code ?? codeOfStatus[status] ?? code.unknown })
}

function flat(body: unknown): { code?: number | undefined; message?: string | undefined } {
  if (typeof body !== 'object' || body === null) return {}
  const { error, message, code: own, grpc_code: inStream } = body as ErrorBody
  if (typeof error === 'object') return flat(error)
  return { code: own ?? inStream, message: message ?? error }
}

/** A proxy may answer with a page. */
const oneLine = (text: string): string =>
  text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
