import { statusError } from './answers.ts'
import { applyObject } from './apply.ts'
import { connectionOf, type Overrides } from './connection.ts'
import { credentialsOf } from './credentials.ts'
import { createDialer } from './dialer.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import { listObjects } from './list.ts'
import type { RequestLog } from './log.ts'
import { type Pipeline, webSocketTarget } from './pipeline.ts'
import { createSession, type Request, retryAfter } from './session.ts'
import type { KubeClient, RawRequest } from './types.ts'
import { createObject, deleteObject, findObject, getObject, patchObject } from './verbs.ts'
import { once } from './warnings.ts'
import { watchObjects } from './watch.ts'

export interface ClientOptions {
  /** For proxies and exec plugins. */
  env: Record<string, string | undefined>
  /** What flags change about the context. */
  overrides?: Overrides | undefined
  /** Milliseconds for one try of a request; 0: no limit. Default 30 s. */
  requestTimeoutMs?: number | undefined
  /** The lines of `-v=6` and above. */
  log?: RequestLog | undefined
  /** Gets each text of the server's Warning headers once. */
  onWarning?: ((text: string) => void) | undefined
  /** May an exec plugin ask on standard input? Asked only when there is one. Default: no. */
  interactive?: (() => boolean) | undefined
  /** Gets what exec plugins say on stderr; default: they write to ours. */
  onPluginStderr?: ((text: string) => void) | undefined
  userAgent?: string | undefined
}

/**
 * A client of one context. Touches neither files nor the network before its first call.
 * Throws `UserError` for a context, cluster or user that the kubeconfig does not have, or a proxy that cannot be used.
 */
export function createClient(kubeconfig: Kubeconfig, contextName: string, options: ClientOptions): KubeClient {
  const connection = connectionOf(kubeconfig, contextName, options.overrides)
  const { env, interactive = () => false, onPluginStderr: onStderr } = options
  const pipeline: Pipeline = {
    connection,
    dialer: createDialer(connection, env),
    credentials: credentialsOf(connection, { env, interactive, onStderr }),
    log: options.log,
    warn: once(options.onWarning ?? (() => undefined)),
    userAgent: options.userAgent ?? 'kubectl-karmada-net',
  }
  return clientBelow(pipeline, '', options.requestTimeoutMs ?? 30_000)
}

function clientBelow(pipeline: Pipeline, prefix: string, timeoutMs: number): KubeClient {
  const session = createSession(pipeline, prefix, timeoutMs)
  return {
    context: pipeline.connection.context,
    server: pipeline.connection.cluster.server,
    get: (ref, options) => getObject(session, ref, options),
    find: (ref, options) => findObject(session, ref, options),
    list: async (ref, options) => (await listObjects<never>(session, ref, options)).items,
    create: (object, options) => createObject(session, object, options),
    apply: (object, options) => applyObject(session, object, options),
    jsonPatch: (ref, patch, options) => patchObject(session, ref, patch, options),
    mergePatch: (ref, patch, options) => patchObject(session, ref, patch, options),
    delete: (ref, options) => deleteObject(session, ref, options),
    watch: (ref, options) => watchObjects(session, ref, options),
    async raw(path, request) {
      const answer = await session.call(rawRequest(path, request), request)
      return { status: answer.status, headers: flat(answer.headers), text: await answer.text() }
    },
    async stream(path, request) {
      const answer = await session.call(rawRequest(path, request), request)
      if (answer.status < 400) return answer.chunks()
      throw statusError(
        answer.status,
        await answer.text(),
        session.info(request?.method ?? 'GET', path),
        retryAfter(answer),
      )
    },
    webSocket: path => webSocketTarget(pipeline, prefix + path),
    at: below => clientBelow(pipeline, prefix + below.replace(/\/+$/, ''), timeoutMs),
    close: () => pipeline.dialer.closeIdle(),
  }
}

function rawRequest(path: string, { method = 'GET', headers, query, body }: RawRequest = {}): Request {
  return { path: path.startsWith('/') ? path : `/${path}`, method, headers, query, body }
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const given = Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, [value].flat().join(', ')]))
}
