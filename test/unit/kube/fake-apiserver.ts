import { createPrivateKey } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import * as https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, vi } from 'vitest'
import { type ClientOptions, createClient } from '../../../src/kube/client.ts'
import type { Kubeconfig, KubeconfigCluster, KubeconfigUser } from '../../../src/kube/kubeconfig.ts'
import type { KubeClient } from '../../../src/kube/types.ts'
import { createAuthority, issue, type KeyPair } from '../../../src/pki/certificate.ts'

// A busy machine may be slow; that is no failure.
vi.setConfig({ testTimeout: 20_000 })

/** What the server saw. */
export interface Seen {
  method: string
  /** Path without the query. */
  path: string
  query: Record<string, string>
  headers: IncomingMessage['headers']
  /** Name values as sent, for repeated headers. */
  rawHeaders: string[]
  body: string
  /** 1 for the first connection, 2 for the second ... */
  connection: number
  /** Common name of the client certificate. */
  user: string | undefined
}

type Reply = { status?: number; headers?: OutgoingHttpHeaders; body?: unknown }
/** An answer as data, or a function that answers by itself: watches, cut-off bodies, silence. */
export type Answer = Reply | ((response: ServerResponse, request: Seen) => Reply | undefined)

export interface FakeApiServer {
  url: string
  port: number
  seen: Seen[]
  /** `GET /path`: these answers in turn, the last one for good. Without any, 404. */
  on(route: string, ...answers: Answer[]): void
  /** Connections accepted so far, and those still open. */
  accepted(): number
  open(): number
  /** Cuts all connections, as a restart does. */
  cut(): void
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export const authority = createAuthority('fake-ca', { days: 1 })
export const otherAuthority = createAuthority('other-ca', { days: 1 })

/** A leaf of `authority`. */
export function leaf(commonName: string, names: string[], days = 1, now = new Date()): KeyPair {
  return issue(
    { certificate: authority.certificate, key: createPrivateKey(authority.key) },
    { commonName, names, usages: ['server', 'client'], days, now },
  )
}

const serverPair = leaf('kube-apiserver', ['127.0.0.1', 'localhost'])
export const clientPair = leaf('alice', [])

/** An API server on loopback that answers what it is told to. */
export async function startFakeApiServer(
  options: { pair?: KeyPair; requireClientCertificate?: boolean; port?: number } = {},
): Promise<FakeApiServer> {
  const pair = options.pair ?? serverPair
  const routes = new Map<string, Answer[]>()
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const numbers = new WeakMap<object, number>()
  let accepted = 0

  const server = https.createServer(
    {
      cert: pair.certificate,
      key: pair.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: options.requireClientCertificate ?? false,
      keepAliveTimeout: 0,
    },
    async (request, response) => {
      const record = await recordOf(request, numbers)
      seen.push(record)
      const answers = routes.get(`${record.method} ${record.path}`)
      const answer = answers && answers.length > 1 ? answers.shift() : answers?.[0]
      const reply = typeof answer === 'function' ? answer(response, record) : (answer ?? notFound)
      if (reply) send(response, reply)
    },
  )
  server.on('secureConnection', socket => numbers.set(socket, ++accepted))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>(resolve => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const close = async () => {
    cut()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    seen,
    on: (route, ...answers) => void routes.set(route, answers),
    accepted: () => accepted,
    open: () => sockets.size,
    cut,
    close,
    [Symbol.asyncDispose]: close,
  }
}

const notFound: Reply = { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' }

/** A Status as servers send it. */
export function status(code: number, reason: string, message: string, more: object = {}): Reply {
  return { status: code, body: { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, reason, message, ...more } }
}

function send(response: ServerResponse, { status = 200, headers = {}, body = {} }: Reply): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(text)
}

async function recordOf(request: IncomingMessage, numbers: WeakMap<object, number>): Promise<Seen> {
  let body = ''
  for await (const chunk of request) body += chunk
  const url = new URL(request.url ?? '/', 'https://any')
  const certificate = (request.socket as TLSSocket).getPeerCertificate?.()
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body,
    connection: numbers.get(request.socket) ?? 0,
    user: [certificate?.subject?.CN].flat()[0],
  }
}

/** A kubeconfig with the one context `test` for a server of `authority`. */
export function kubeconfigFor(
  server: string,
  { cluster = {}, user = {} }: { cluster?: Partial<KubeconfigCluster>; user?: Partial<KubeconfigUser> } = {},
): Kubeconfig {
  const certificateAuthorityData = base64(authority.certificate)
  return {
    currentContext: 'test',
    contexts: new Map([['test', { name: 'test', cluster: 'test', user: 'test' }]]),
    clusters: new Map([['test', { name: 'test', server, certificateAuthorityData, ...cluster }]]),
    users: new Map([['test', { name: 'test', ...user }]]),
  }
}

/** A client of that context. */
export function clientFor(
  server: string,
  { cluster, user, ...options }: Partial<ClientOptions> & Parameters<typeof kubeconfigFor>[1] = {},
): KubeClient {
  return createClient(kubeconfigFor(server, { ...(cluster && { cluster }), ...(user && { user }) }), 'test', {
    env: {},
    ...options,
  })
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Waits for a value, however busy the machine is: `await soon(() => x).toBe(1)`. */
export const soon = <T>(value: () => T) => expect.poll(value, { timeout: 15_000, interval: 10 })

/** What a promise was rejected with. */
export async function failure<E = Error>(promise: Promise<unknown>): Promise<E> {
  const nothing = Symbol()
  const error = await promise.then(
    () => nothing,
    error => error,
  )
  if (error === nothing) throw new Error('it was not rejected')
  return error as E
}
