import { Agent, request } from 'node:https'
import type { SecureContext } from 'node:tls'
import { parseAnswer, statusError } from '../../kube/answers.ts'
import { ConnectionError, type RequestInfo, StatusError } from '../../kube/errors.ts'
import { knownResource } from '../../kube/resources.ts'
import { send } from '../../kube/send.ts'
import type { Request, Session } from '../../kube/session.ts'
import type { CallOptions } from '../../kube/types.ts'
import { parseEndpoint } from '../address.ts'

/** How long an API server may take to begin its answer. */
const answerMs = 3000

export interface ServersOptions {
  /** `host:port` of whom to ask, the best first; read for each request. */
  servers(): string[]
  serverName(): string
  secureContext(): SecureContext | undefined
  token(): string | undefined
}

export interface ServersSession extends Session {
  /** Why the last request was not answered by anybody. */
  error(): string | undefined
  /** Ends what is under way with this server (`host:port`): it is asked of whoever is best by then. */
  leave(address: string): void
}

/**
 * A session with whichever API server answers, asked directly and in turn: never through the virtual IP or the ClusterIP, either of
 * which may be what is broken. No client of a kubeconfig: it has one identity, that of a service account, and reads only.
 */
export function createServersSession(options: ServersOptions): ServersSession {
  /** By `host:port`. */
  const agents = new Map<string, { for: SecureContext; agent: Agent }>()
  let error: string | undefined

  function agentFor(address: string, secureContext: SecureContext): Agent {
    const there = agents.get(address)
    if (there?.for === secureContext) return there.agent
    there?.agent.destroy()
    // TCP itself notices a server that is gone under a silent watch.
    const agent = new Agent({ keepAlive: true, keepAliveMsecs: 10_000, maxCachedSessions: 0, secureContext })
    agents.set(address, { for: secureContext, agent })
    return agent
  }

  const info = (method: string, path: string, server = 'kubernetes'): RequestInfo => ({
    context: '',
    server: `https://${server}`,
    method,
    path,
  })

  async function askOne(address: string, { method, path, query = {} }: Request, { signal }: CallOptions) {
    const endpoint = parseEndpoint(address)
    const secureContext = options.secureContext()
    if (!endpoint || !secureContext)
      throw new Error('no certificate authority of the cluster to verify API servers with')
    // As on a node whose agent is no pod of the cluster: a stranger's questions would only be refused.
    const token = options.token()
    if (token === undefined) throw new Error('no token to ask API servers with: only the list of the settings counts')
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const outgoing = request({
      ...endpoint,
      agent: agentFor(address, secureContext),
      method,
      path: given.length ? `${path}?${new URLSearchParams(given)}` : path,
      servername: options.serverName(),
      headers: { accept: 'application/json', 'user-agent': 'karmada-net-vip', authorization: `Bearer ${token}` },
    })
    return send(outgoing, info(method, path, address), { signal, timeoutMs: answerMs })
  }

  const call: Session['call'] = async (request, callOptions = {}) => {
    let last: unknown = new Error('no API server is known')
    for (const address of options.servers()) {
      try {
        const answer = await askOne(address, request, callOptions)
        error = undefined
        // One that is in trouble sends us to the next, which may not be.
        if (answer.status < 500) return answer
        last = statusError(answer.status, await answer.text(), info(request.method, request.path, address))
      } catch (failure) {
        callOptions.signal?.throwIfAborted()
        last = failure
        if (!(failure instanceof ConnectionError)) break
      }
    }
    error = last instanceof Error ? last.message : String(last)
    throw last
  }

  return {
    info,
    call,
    async json<T>(request: Request, callOptions?: CallOptions) {
      const { status, text } = await call(request, callOptions)
      const about = info(request.method, request.path)
      const body = await text()
      if (status >= 400) throw statusError(status, body, about)
      return { status, body: parseAnswer<T>(status, body, about) }
    },
    async resource(apiVersion, kind) {
      const known = knownResource(apiVersion, kind)
      if (known) return known
      throw new StatusError({ apiVersion: 'v1', kind: 'Status', code: 404, message: kind }, info('GET', apiVersion))
    },
    error: () => error,
    leave(address) {
      agents.get(address)?.agent.destroy()
      agents.delete(address)
    },
  }
}
