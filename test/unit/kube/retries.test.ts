import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConnectionError, StatusError } from '../../../src/kube/errors.ts'
import { maskHeader } from '../../../src/kube/log.ts'
import type { KubeClient } from '../../../src/kube/types.ts'
import { warningTexts } from '../../../src/kube/warnings.ts'
import { clientFor, type FakeApiServer, failure, soon, startFakeApiServer, status } from './fake-apiserver.ts'

let server: FakeApiServer
let client: KubeClient
let warnings: string[]
let lines: string[]
beforeEach(async () => {
  server = await startFakeApiServer()
  ;[warnings, lines] = [[], []]
  client = clientFor(server.url, { onWarning: text => warnings.push(text) })
})
afterEach(() => server.close())

const ref = { apiVersion: 'v1', kind: 'Node', name: 'n' }
const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', resourceVersion: '1' } }
const busy = (code: number, seconds?: string) => ({
  ...status(code, 'TooManyRequests', 'busy'),
  headers: seconds === undefined ? {} : { 'Retry-After': seconds },
})

test.each([429, 500, 503])('%i with Retry-After is tried again, writes as well', async code => {
  server.on('GET /api/v1/nodes/n', busy(code, '0'), busy(code, '0'), { body: node })
  expect(await client.get(ref)).toEqual(node)
  server.on('POST /api/v1/nodes', busy(code, '0'), { body: node })
  expect(await client.create(node)).toEqual(node)
  expect(server.seen).toHaveLength(5)
})

test('ten tries, then the error', async () => {
  server.on('GET /api/v1/nodes/n', busy(429, '0'))
  expect(await failure<StatusError>(client.get(ref))).toMatchObject({ code: 429, message: 'busy', retryAfter: 0 })
  expect(server.seen).toHaveLength(10)
})

test.each([undefined, 'soon'])('Retry-After: %s is not tried again', async after => {
  server.on('GET /api/v1/nodes/n', busy(503, after))
  expect((await failure<StatusError>(client.get(ref))).code).toBe(503)
  expect(server.seen).toHaveLength(1)
})

test('a signal ends the wait for the next try', async () => {
  server.on('GET /api/v1/nodes/n', busy(429, '20'))
  const controller = new AbortController()
  const call = failure(client.get(ref, { signal: controller.signal }))
  await soon(() => server.seen.length).toBe(1)
  controller.abort(new Error('stop'))
  expect((await call).message).toBe('stop')
})

/** The kept connection dies under the next request, as when a server restarts. */
const dieOnce = (response: ServerResponse) => void response.socket?.destroy()

test('a GET or apply on a kept connection that the server closed is sent again', async () => {
  server.on('GET /api/v1/nodes/n', { body: node }, dieOnce, { body: node })
  await client.get(ref)
  expect(await client.get(ref)).toEqual(node)
  server.on('PATCH /api/v1/nodes/n', dieOnce, { body: node })
  expect((await client.apply(node)).outcome).toBe('unchanged')
  expect(server.accepted()).toBe(3)
})

test('a POST is never sent twice, and neither is anything on a fresh connection', async () => {
  server.on('GET /api/v1/nodes/n', { body: node })
  await client.get(ref)
  server.on('POST /api/v1/nodes', dieOnce)
  expect((await failure<ConnectionError>(client.create(node))).failure).toBe('reset')
  server.on('GET /api/v1/nodes/n', dieOnce)
  expect((await failure<ConnectionError>(client.get(ref))).failure).toBe('reset')
  expect(server.seen).toHaveLength(3)
})

test('several kept connections that died together', async () => {
  server.on('GET /api/v1/nodes/n', { body: node })
  await Promise.all([client.get(ref), client.get(ref), client.get(ref)])
  server.cut()
  expect(await client.get(ref)).toEqual(node)
})

test('warnings come once each', async () => {
  const headers = { Warning: ['299 - "first, \\"quoted\\""', '299 - "second"'] }
  server.on('GET /api/v1/nodes/n', { body: node, headers })
  await client.get(ref)
  await client.at('/x').raw('/')
  await client.get(ref)
  expect(warnings).toEqual(['first, "quoted"', 'second'])
})

test.each<[string | undefined, string[]]>([
  [undefined, []],
  ['199 - "other code"', []],
  ['299 kube "a"', ['a']],
  ['299 - "a", 299 - "b, 299 - c"', ['a', 'b, 299 - c']],
])('Warning: %s', (header, texts) => {
  expect(warningTexts(header)).toEqual(texts)
})

const logged = (verbosity: number, more: Parameters<typeof clientFor>[1] = {}) =>
  clientFor(server.url, { log: { verbosity, write: line => lines.push(line) }, ...more })

test('-v=6: a line per request', async () => {
  server.on('GET /api/v1/nodes/n', { body: node })
  await logged(5).get(ref)
  await logged(6).get(ref)
  await logged(6).find({ ...ref, name: 'other' })
  expect(lines.map(line => line.replace(/\d+ milliseconds/, 'N milliseconds'))).toEqual([
    `GET ${server.url}/api/v1/nodes/n 200 OK in N milliseconds`,
    `GET ${server.url}/api/v1/nodes/other 404 Not Found in N milliseconds`,
  ])
})

test('-v=6 without an answer', async () => {
  await server.close()
  await failure(logged(6).get(ref))
  expect(lines.join()).toMatch(/^GET https:\S+ in \d+ milliseconds$/)
})

test('-v=8: headers, and no secret', async () => {
  server.on('GET /api/v1/nodes/n', { body: node, headers: { 'Set-Cookie': 'id=hunter2', 'Audit-Id': 'x' } })
  await logged(8, { user: { token: 'hunter2', as: 'bob', asGroups: ['g1', 'g2'] } }).get(ref)
  const text = lines.join('\n')
  expect(text).not.toContain('hunter2')
  for (const line of [
    'Authorization: Bearer <masked>',
    'Impersonate-User: bob',
    'Impersonate-Group: g2',
    'audit-id: x',
  ]) {
    expect(text).toContain(`    ${line}`)
  }
})

test.each([
  ['Authorization', 'Basic abc', 'Basic <masked>'],
  ['authorization', 'abc', '<masked>'],
  ['Proxy-Authorization', 'Basic abc', 'Basic <masked>'],
  ['X-Auth-Token', 'abc', '<masked>'],
  ['Impersonate-User', 'bob', 'bob'],
])('%s: %s is shown as %s', (name, value, shown) => {
  expect(maskHeader(name, value)).toBe(shown)
})
