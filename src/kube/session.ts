import { parseAnswer, statusError } from './answers.ts'
import { type RequestInfo, StatusError } from './errors.ts'
import { type Call, type Pipeline, perform } from './pipeline.ts'
import { type ApiResourceList, discoveredResource, groupPath, knownResource, type Resource } from './resources.ts'
import type { Answer } from './send.ts'
import type { CallOptions } from './types.ts'

/** One API server below one path prefix: what the client's verbs are made of. */
export interface Session {
  info(method: string, path: string): RequestInfo
  /** Any HTTP status is an answer. `path` is below the prefix. */
  call(request: Request, options?: CallOptions): Promise<Answer>
  /** The object of an answer below 400. Throws `StatusError` for every other. `status` is the HTTP status. */
  json<T>(request: Request, options?: CallOptions): Promise<{ status: number; body: T }>
  /** How a kind is called in URLs; asks the server about kinds that are not known. Throws `StatusError` 404 for no such kind. */
  resource(apiVersion: string, kind: string, options?: CallOptions): Promise<Resource>
}

export interface Request extends Pick<Call, 'body' | 'headers'> {
  method: string
  path: string
  query?: Record<string, string | undefined> | undefined
  /** Default: GET and HEAD are, the rest is not. */
  idempotent?: boolean | undefined
}

export function createSession(pipeline: Pipeline, prefix: string, defaultTimeoutMs: number): Session {
  const discovered = new Map<string, ApiResourceList>()

  const info = (method: string, path: string): RequestInfo => ({
    context: pipeline.connection.context,
    server: pipeline.connection.cluster.server,
    method,
    path: prefix + path,
  })

  const call: Session['call'] = ({ path, query, idempotent, ...request }, options = {}) =>
    perform(pipeline, {
      ...request,
      path: withQuery(prefix + path, query),
      idempotent: idempotent ?? /^(GET|HEAD)$/.test(request.method),
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    })

  const json = async <T>(request: Request, options?: CallOptions) => {
    const answer = await call(request, options)
    const text = await answer.text()
    const about = info(request.method, request.path)
    if (answer.status >= 400) throw statusError(answer.status, text, about, retryAfter(answer))
    return { status: answer.status, body: parseAnswer<T>(answer.status, text, about) }
  }

  async function discover(apiVersion: string, options?: CallOptions): Promise<ApiResourceList> {
    return (await json<ApiResourceList>({ method: 'GET', path: groupPath(apiVersion) }, options)).body
  }

  async function resource(apiVersion: string, kind: string, options?: CallOptions): Promise<Resource> {
    const known = knownResource(apiVersion, kind)
    if (known) return known
    const cached = discovered.get(apiVersion)
    const found = cached && discoveredResource(cached, kind)
    if (found) return found
    // A kind may have been installed since: only what is there is remembered.
    const list = await discover(apiVersion, options)
    discovered.set(apiVersion, list)
    const fresh = discoveredResource(list, kind)
    if (fresh) return fresh
    const message = `the server doesn't have a resource type "${kind}" in ${apiVersion}`
    const status = { apiVersion: 'v1', kind: 'Status', code: 404, reason: 'NotFound', message }
    throw new StatusError(status, info('GET', groupPath(apiVersion)))
  }

  return { info, call, json, resource }
}

/** Seconds that the server asks to wait. */
export function retryAfter({ headers }: Answer): number | undefined {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) ? seconds : undefined
}

/** Adds the parameters that have a value. */
function withQuery(path: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (!given.length) return path
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(given)}`
}
