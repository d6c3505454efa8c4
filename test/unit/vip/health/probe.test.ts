import { createSecureContext } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import type { Probe } from '../../../../src/vip/health/judge.ts'
import { createReadyProbe, probeConnect, type ReadyProbe } from '../../../../src/vip/health/probe.ts'
import { watchHealth } from '../../../../src/vip/health/watch.ts'
import { defaultSettings } from '../../../../src/vip/settings.ts'
import {
  authority,
  type FakeApiServer,
  leaf,
  otherAuthority,
  soon,
  startFakeApiServer,
} from '../../kube/fake-apiserver.ts'

const host = '127.0.0.1'
const secureContext = createSecureContext({ ca: authority.certificate })
const how = { serverName: 'localhost', timeoutMs: 5000, secureContext, token: () => 'secret' }
const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function apiServer(options: Parameters<typeof startFakeApiServer>[0] = {}): Promise<FakeApiServer> {
  const server = await startFakeApiServer(options)
  open.push(server)
  return server
}

function readyProbe(port: number, options: Partial<typeof how> = {}, onLost = () => {}): ReadyProbe {
  const probe = createReadyProbe({ host, port }, { ...how, ...options }, onLost)
  open.push(probe)
  return probe
}

test('a TCP connection is made and leaves nothing behind', async () => {
  const server = await apiServer()
  expect(await probeConnect({ host, port: server.port }, 5000)).toMatchObject({ probe: 'connect', ok: true })
  await soon(() => server.open()).toBe(0)
  expect(server.accepted()).toBe(0)
})

test('nobody listens: refused', async () => {
  const server = await apiServer()
  await server.close()
  const probe = await probeConnect({ host, port: server.port }, 5000)
  expect(probe).toEqual({ probe: 'connect', ok: false, why: 'connection refused' })
})

test('nobody answers: late', async () => {
  // Of TEST-NET-1: nobody has it.
  const probe = await probeConnect({ host: '192.0.2.1', port: 6443 }, 50)
  expect(probe.ok).toBe(false)
})

test('/readyz is asked on one connection that is kept, with the token of the moment', async () => {
  const server = await apiServer()
  server.on('GET /readyz', { body: 'ok' })
  const probe = readyProbe(server.port)
  expect(await probe.ask()).toMatchObject({ probe: 'ready', ok: true })
  expect(await probe.ask()).toMatchObject({ probe: 'ready', ok: true })
  expect(server.accepted()).toBe(1)
  expect(server.seen[0]?.headers.authorization).toBe('Bearer secret')
})

test.each([
  [500, false],
  [503, false],
  [401, true],
  [403, true],
  [429, true],
])('/readyz answers %i: is it ready? %s', async (status, ok) => {
  const server = await apiServer()
  server.on('GET /readyz', { status, body: 'x' })
  expect(await readyProbe(server.port).ask()).toMatchObject(ok ? { ok } : { ok, why: `/readyz answers ${status}` })
})

test('/readyz answers nothing', async () => {
  const server = await apiServer()
  server.on('GET /readyz', () => undefined)
  const found = await readyProbe(server.port, { timeoutMs: 50 }).ask()
  expect(found).toEqual({ probe: 'ready', ok: false, why: '/readyz: no answer in 50 ms' })
})

test.each([
  ['of another name', { serverName: 'other' }],
  ['of another authority', { secureContext: createSecureContext({ ca: otherAuthority.certificate }) }],
])('a certificate %s is wrong', async (_, options) => {
  const server = await apiServer()
  const found = await readyProbe(server.port, options).ask()
  expect((found as Extract<Probe, { ok: false }>).why).toContain('wrong certificate: ')
})

test('a certificate that has expired is wrong', async () => {
  const lastWeek = new Date(Date.now() - 7 * 86_400_000)
  const server = await apiServer({ pair: leaf('kube-apiserver', ['localhost'], 1, lastWeek) })
  const found = await readyProbe(server.port).ask()
  expect((found as Extract<Probe, { ok: false }>).why).toBe('/readyz: wrong certificate: certificate has expired')
})

test('a server that is gone is for the other probe to judge, which is told at once', async () => {
  const server = await apiServer()
  server.on('GET /readyz', { body: 'ok' })
  let lost = 0
  const probe = readyProbe(server.port, {}, () => lost++)
  await probe.ask()
  await server.close()
  await soon(() => lost).toBe(1)
  expect(await probe.ask()).toBeUndefined()
})

test('a kept connection that was closed says nothing about the server', async () => {
  const server = await apiServer()
  server.on('GET /readyz', { body: 'ok' })
  const probe = readyProbe(server.port)
  await probe.ask()
  server.cut()
  expect(await probe.ask()).toMatchObject({ ok: true })
})

test('a server is followed through its life', async () => {
  const server = await apiServer()
  const address = `${host}:${server.port}`
  server.on('GET /readyz', { body: 'ok' })
  const states: string[] = []
  const settings = { ...defaultSettings.probe, connectEveryMs: 50, connectTimeoutMs: 5000, readyEveryMs: 50 }
  const watch = watchHealth({ settings, ready: how }, (_, { state }) => states.push(state))
  open.push({ close: watch.stop })
  watch.follow([address])
  await soon(() => states).toEqual(['up'])
  server.on('GET /readyz', { status: 500, body: 'x' })
  await soon(() => states).toEqual(['up', 'draining'])
  server.on('GET /readyz', { body: 'ok' })
  await soon(() => states).toEqual(['up', 'draining', 'up'])
  await server.close()
  await soon(() => states).toEqual(['up', 'draining', 'up', 'down'])
  const again = await apiServer({ port: server.port })
  again.on('GET /readyz', { body: 'ok' })
  await soon(() => states).toEqual(['up', 'draining', 'up', 'down', 'up'])
  watch.follow([])
  expect(watch.health.size).toBe(0)
})
