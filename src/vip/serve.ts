import { createServer, type Server, type ServerResponse } from 'node:http'
import { metricsText } from './metrics.ts'
import type { NodeReport } from './report.ts'
import type { HostPassages } from './verify/report.ts'

/** A look that takes longer than this is stuck. Milliseconds. */
const stuckMs = 10_000

export interface StatusSource {
  report(): NodeReport
  /** Milliseconds since the last look at the table came to its end. */
  sinceLookMs(): number
}

/** What takes a moment, and is done when it is asked for. */
export interface Verifier {
  verify(): Promise<HostPassages>
}

type Answer = [status: number, type: string, body: string]

/** What each path answers. `/livez` is about the agent, `/healthz` about the virtual server as well. */
export function answerTo(path: string, { report, sinceLookMs }: StatusSource): Answer {
  const text = (status: number, body: string): Answer => [status, 'text/plain; charset=utf-8', `${body}\n`]
  const stuck = sinceLookMs() > stuckMs ? `no look at the table for ${Math.round(sinceLookMs() / 1000)} s` : undefined
  if (path === '/livez') return stuck === undefined ? text(200, 'ok') : text(503, stuck)
  if (path === '/healthz') {
    const { table, route } = report()
    const missing = table.present
      ? route.present || (route.error ?? 'the local route is missing')
      : 'the virtual server is not complete'
    const why = stuck ?? table.error ?? (missing === true ? undefined : missing)
    return why === undefined ? text(200, 'ok') : text(503, why)
  }
  if (path === '/metrics') return [200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(report())]
  if (path === '/status') return [200, 'application/json', `${JSON.stringify(report())}\n`]
  return text(404, 'not found: /healthz, /livez, /metrics, /status and /verify are')
}

/** Serves these until closed. Rejects where the port cannot be had. `host`: of the node; undefined: all of its addresses. */
export function serveStatus(host: string | undefined, port: number, source: StatusSource & Verifier): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 5000 }, (request, response) => {
    const path = pathOf(request.url)
    if (request.method === 'GET' && path === '/verify') void verified(source).then(answer => send(response, answer))
    else if (request.method === 'GET' || request.method === 'HEAD') send(response, answerTo(path, source))
    else send(response, [405, 'text/plain', 'only GET\n'])
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

const verified = ({ verify }: Verifier): Promise<Answer> =>
  verify().then(
    passages => [200, 'application/json', `${JSON.stringify(passages)}\n`],
    (error: Error) => [500, 'text/plain; charset=utf-8', `${error.message}\n`],
  )

const pathOf = (url = ''): string => url.replace(/\?.*$/, '')

function send(response: ServerResponse, [status, type, body]: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
