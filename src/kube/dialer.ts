import * as http from 'node:http'
import * as https from 'node:https'
import * as tls from 'node:tls'
import type { Connection } from './connection.ts'
import { proxyFor } from './proxy.ts'
import { type ClientCertificate, secureContextFor } from './trust.ts'
import { openTunnel } from './tunnel.ts'

export interface Dialer {
  /** Holds the kept connections to the server. Throws `UserError` for unusable TLS files. */
  agent(certificate: ClientCertificate | undefined): Promise<http.Agent>
  /** A request, not yet ended, on one of the agent's connections. `path` is below the server's own. */
  start(
    agent: http.Agent,
    options: { method: string; path: string; headers: http.OutgoingHttpHeaders },
  ): http.ClientRequest
  /** Closes the connections that nobody uses at the moment. */
  closeIdle(): void
}

/** Kept connections to one API server: one agent for as long as the client certificate stays the same. */
export function createDialer({ cluster }: Connection, env: Record<string, string | undefined>): Dialer {
  const server = new URL(cluster.server)
  const proxy = proxyFor(server, cluster.proxyUrl, env)
  const { request } = server.protocol === 'https:' ? https : http
  let current: { certificate: ClientCertificate | undefined; agent: Promise<http.Agent> } | undefined

  return {
    agent(certificate) {
      if (current && sameCertificate(current.certificate, certificate)) return current.agent
      current?.agent.then(closeIdle, () => undefined)
      current = { certificate, agent: createAgent(cluster, proxy, certificate) }
      return current.agent
    },
    start(agent, options) {
      const path = server.pathname.replace(/\/$/, '') + options.path
      return request({ ...options, path, agent, host: bareHost(server), port: server.port || undefined })
    },
    closeIdle() {
      current?.agent.then(closeIdle, () => undefined)
    },
  }
}

async function createAgent(
  cluster: Connection['cluster'],
  proxy: URL | undefined,
  certificate: ClientCertificate | undefined,
): Promise<http.Agent> {
  const settings = {
    keepAlive: true,
    // TCP probes find a peer that is gone within a minute, also under a silent watch.
    keepAliveMsecs: 30_000,
    keepAliveInitialDelay: 30_000,
    // Node's quarter of a second per address is too short for a far server with several addresses.
    autoSelectFamilyAttemptTimeout: 1000,
  }
  if (cluster.server.startsWith('http:')) {
    const agent = new http.Agent(settings)
    if (proxy) dialThrough(agent, proxy, socket => socket)
    return agent
  }
  const agent = new https.Agent({
    ...settings,
    secureContext: await secureContextFor(cluster, certificate),
    rejectUnauthorized: !cluster.insecureSkipTlsVerify,
    ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
  })
  if (proxy) dialThrough(agent, proxy, (socket, options) => tls.connect({ ...options, socket }))
  return agent
}

type Wrap = (socket: tls.ConnectionOptions['socket'] & object, options: tls.ConnectionOptions) => NodeJS.ReadWriteStream

/** Lets the agent dial through the proxy; `wrap` puts TLS on the tunnel. */
function dialThrough(agent: http.Agent, proxy: URL, wrap: Wrap): void {
  agent.createConnection = (options, callback) => {
    openTunnel(proxy, options.host ?? '', Number(options.port)).then(
      socket => callback?.(null, wrap(socket, options as tls.ConnectionOptions) as tls.TLSSocket),
      error => callback?.(error, undefined as never),
    )
    return undefined
  }
}

function sameCertificate(a: ClientCertificate | undefined, b: ClientCertificate | undefined): boolean {
  return a === b || (a?.cert.toString() === b?.cert.toString() && a?.key.toString() === b?.key.toString())
}

function closeIdle(agent: http.Agent): void {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
}

/** Without the brackets that a URL puts around an IPv6 address. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
