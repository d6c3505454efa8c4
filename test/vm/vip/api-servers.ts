import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server } from 'node:https'
import type { Socket } from 'node:net'

/**
 * API servers of one cluster on several addresses of this machine, with as much of the API as an agent of nodes asks: what is under
 * test are sockets, TLS and the kernel between, and those are real. Runs in a virtual machine; a test tells it what to do by
 * POST http://127.0.0.1:9000/.
 */
export interface ClusterConfig {
  addresses: string[]
  port: number
  certificate: Pair
  /** Of another authority. */
  wrong: Pair
  endpoints: string[]
  settings: object
}

interface Pair {
  certificate: string
  key: string
}

export type Mode = 'ready' | 'not-ready' | 'refuse' | 'slow' | 'hang' | 'wrong-certificate'

/** What a test tells it; all fields at once or one by one. */
export interface Order {
  modes?: Record<string, Mode>
  endpoints?: string[]
  settings?: object
}

const config = JSON.parse(readFileSync(0, 'utf8')) as ClusterConfig
const modes = new Map<string, Mode>(config.addresses.map(address => [address, 'ready']))
const sockets = new Map<string, Set<Socket>>()
const servers = new Map<string, Server>()
const watches = new Set<{ kind: string; response: ServerResponse }>()
let version = 1
let { endpoints, settings } = config

const objects = {
  endpointslices: () => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', resourceVersion: String(version) },
    addressType: config.addresses[0]?.includes(':') ? 'IPv6' : 'IPv4',
    ports: [{ name: 'https', port: config.port, protocol: 'TCP' }],
    endpoints: endpoints.map(address => ({ addresses: [address], conditions: { ready: true } })),
  }),
  configmaps: () => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'karmada-net-vip', namespace: 'kube-system', resourceVersion: String(version) },
    data: { 'settings.json': JSON.stringify(settings) },
  }),
}
type Kind = keyof typeof objects

function answer(address: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://api')
  const mode = modes.get(address)
  if (mode === 'hang') return
  if (url.pathname === '/readyz') {
    const reply = () => response.writeHead(mode === 'not-ready' ? 500 : 200).end('x')
    if (mode === 'slow') setTimeout(reply, 60_000)
    else reply()
    return
  }
  const kind = Object.keys(objects).find((kind): kind is Kind => url.pathname.endsWith(`/${kind}`))
  if (!kind) {
    response.end(address)
    return
  }
  response.setHeader('content-type', 'application/json')
  if (url.searchParams.get('watch') !== 'true') {
    response.end(JSON.stringify({ metadata: { resourceVersion: String(version) }, items: [objects[kind]()] }))
    return
  }
  const watch = { kind, response }
  watches.add(watch)
  response.once('close', () => watches.delete(watch))
  response.flushHeaders()
  if (Number(url.searchParams.get('resourceVersion')) < version) tell(watch)
}

const tell = ({ kind, response }: { kind: string; response: ServerResponse }) =>
  response.write(`${JSON.stringify({ type: 'MODIFIED', object: objects[kind as Kind]() })}\n`)

/** A server that refuses is a process that was killed: its connections break as well. */
async function apply(address: string): Promise<void> {
  const mode = modes.get(address)
  const stop = () => {
    servers.get(address)?.close()
    servers.delete(address)
    for (const socket of sockets.get(address) ?? []) socket.resetAndDestroy()
  }
  if (mode === 'refuse') return stop()
  const { certificate, key } = mode === 'wrong-certificate' ? config.wrong : config.certificate
  const there = servers.get(address)
  if (there) {
    there.setSecureContext({ cert: certificate, key })
    // A connection that is kept would not show it.
    if (mode === 'wrong-certificate') for (const socket of sockets.get(address) ?? []) socket.resetAndDestroy()
    return
  }
  const server = createTlsServer({ cert: certificate, key, keepAliveTimeout: 60_000 }, (request, response) =>
    answer(address, request, response),
  )
  const open = new Set<Socket>()
  sockets.set(address, open)
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  servers.set(address, server)
  await new Promise<void>(resolve => server.listen(config.port, address, resolve))
}

for (const address of config.addresses) await apply(address)
createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', async () => {
    const order = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Order
    for (const [address, mode] of Object.entries(order.modes ?? {})) {
      modes.set(address, mode)
      await apply(address)
    }
    if (order.endpoints || order.settings) {
      endpoints = order.endpoints ?? endpoints
      settings = order.settings ?? settings
      version++
      for (const watch of watches) {
        if ((watch.kind === 'configmaps') === (order.settings !== undefined)) tell(watch)
        else if (order.endpoints && order.settings) tell(watch)
      }
    }
    response.end('ok\n')
  })
}).listen(9000, '127.0.0.1')
