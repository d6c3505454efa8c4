import { createSecureContext } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Discovery, startDiscovery } from '../../../../src/vip/discovery/discovery.ts'
import type { Slice } from '../../../../src/vip/discovery/known.ts'
import {
  type Answer,
  authority,
  type FakeApiServer,
  soon,
  startFakeApiServer,
  status,
} from '../../kube/fake-apiserver.ts'

const slices = 'GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
const maps = 'GET /api/v1/namespaces/kube-system/configmaps'
const secureContext = createSecureContext({ ca: authority.certificate })

const slice = (address: string, version: string) => ({
  metadata: { name: 'kubernetes', resourceVersion: version },
  endpoints: [{ addresses: [address] }],
})
const map = (text: string, version: string) => ({
  metadata: { name: 'karmada-net-vip', resourceVersion: version },
  data: { 'settings.json': text },
})
const list = (...items: object[]): Answer => ({ body: { metadata: { resourceVersion: '1' }, items } })
/** Events, and then silence. */
const watch =
  (...objects: object[]): Answer =>
  response => {
    response.writeHead(200)
    response.flushHeaders()
    for (const object of objects) response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`)
    return undefined
  }
const silence = watch()

let servers: FakeApiServer[]
let stop: AbortController
let told: { addresses: string[]; settings: string[] }
let asked: FakeApiServer[]
let token: string | undefined
beforeEach(async () => {
  servers = await Promise.all([startFakeApiServer(), startFakeApiServer()])
  stop = new AbortController()
  told = { addresses: [], settings: [] }
  asked = servers
  token = 'secret'
})
afterEach(async () => {
  stop.abort()
  await Promise.all(servers.map(server => server.close()))
})

function discover(): Discovery {
  return startDiscovery({
    servers: () => asked.map(({ port }) => `127.0.0.1:${port}`),
    serverName: () => 'localhost',
    secureContext: () => secureContext,
    token: () => token,
    onServers: (all: readonly Slice[]) => told.addresses.push(all[0]?.endpoints?.[0]?.addresses?.[0] ?? ''),
    onSettings: text => told.settings.push(text),
    signal: stop.signal,
  })
}

describe('API servers are asked directly', () => {
  test('for both objects, and told of changes', async () => {
    const [first] = servers as [FakeApiServer]
    first.on(slices, list(slice('10.0.0.1', '1')), watch(slice('10.0.0.2', '2')))
    first.on(maps, list(map('a', '1')), watch(map('b', '2')))
    const discovery = discover()
    await soon(() => told).toEqual({ addresses: ['10.0.0.1', '10.0.0.2'], settings: ['a', 'b'] })
    expect(discovery.isWatching()).toBe(true)
    expect(discovery.error()).toBeUndefined()
    expect(first.seen.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer secret'))
    expect(first.seen.map(({ query }) => query['fieldSelector'] ?? query['labelSelector']).sort()).toEqual([
      'kubernetes.io/service-name=kubernetes',
      'kubernetes.io/service-name=kubernetes',
      'metadata.name=karmada-net-vip',
      'metadata.name=karmada-net-vip',
    ])
  })

  test('the next one where the first does not answer, or is in trouble', async () => {
    const [first, second] = servers as [FakeApiServer, FakeApiServer]
    first.on(slices, status(500, 'InternalError', 'etcd is gone'))
    first.on(maps, status(503, 'ServiceUnavailable', 'not yet'))
    second.on(slices, list(slice('10.0.0.1', '1')), silence)
    second.on(maps, list(map('a', '1')), silence)
    const discovery = discover()
    await soon(() => told).toEqual({ addresses: ['10.0.0.1'], settings: ['a'] })
    await soon(() => discovery.isWatching()).toBe(true)
  })

  test('another one where the agent has left the first, without a new list', async () => {
    const [first, second] = servers as [FakeApiServer, FakeApiServer]
    first.on(slices, list(slice('10.0.0.1', '1')), silence)
    first.on(maps, list(map('a', '1')), silence)
    second.on(slices, watch(slice('10.0.0.2', '2')))
    second.on(maps, watch(map('b', '2')))
    const discovery = discover()
    await soon(() => first.seen.filter(({ query }) => query['watch'] === 'true').length).toBe(2)
    asked = [second]
    discovery.leave(`127.0.0.1:${first.port}`)
    await soon(() => told).toEqual({ addresses: ['10.0.0.1', '10.0.0.2'], settings: ['a', 'b'] })
    expect(second.seen.every(({ query }) => query['watch'] === 'true')).toBe(true)
  })

  test('who may not ask is told why, and goes on with the rest', async () => {
    const [first] = servers as [FakeApiServer]
    first.on(slices, list(slice('10.0.0.1', '1')), silence)
    first.on(maps, status(403, 'Forbidden', 'configmaps is forbidden'))
    const discovery = discover()
    await soon(() => told.addresses).toEqual(['10.0.0.1'])
    await soon(() => discovery.error()).toBe('configmaps is forbidden')
    expect(discovery.isWatching()).toBe(false)
  })

  test('nobody answers', async () => {
    await Promise.all(servers.map(server => server.close()))
    const discovery = discover()
    await soon(() => discovery.error()).toContain('was refused')
    expect(discovery.isWatching()).toBe(false)
  })

  test('who has no token asks nobody', async () => {
    token = undefined
    const discovery = discover()
    await soon(() => discovery.error()).toContain('no token')
    expect(servers.flatMap(({ seen }) => seen)).toEqual([])
  })

  test('nobody is known', async () => {
    asked = []
    const discovery = discover()
    await soon(() => discovery.error()).toBe('no API server is known')
  })
})
