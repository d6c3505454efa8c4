import * as net from 'node:net'
import { expect, test, vi } from 'vitest'
import { connectionError } from '../../../src/kube/connection-errors.ts'
import { ConnectionError, describeStatus, isTransient, StatusError } from '../../../src/kube/errors.ts'
import { base64, clientFor, failure, leaf, otherAuthority, soon, startFakeApiServer, status } from './fake-apiserver.ts'

const version = (server: string, options: Parameters<typeof clientFor>[1] = {}) =>
  failure<ConnectionError>(clientFor(server, options).raw('/version'))

/** A TCP server that does as told with each connection. */
async function tcp(onConnection: (socket: net.Socket) => void) {
  const server = net.createServer(onConnection)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() }
}

test('refused', async () => {
  const { port, close } = await startFakeApiServer()
  await close()
  const error = await version(`https://127.0.0.1:${port}`)
  expect(error).toBeInstanceOf(ConnectionError)
  expect(error.failure).toBe('refused')
  expect(error.message).toBe(
    `The connection to the server 127.0.0.1:${port} was refused - did you specify the right host or port?`,
  )
  expect(error.detail).toBe(`dial 127.0.0.1:${port}: connection refused`)
  expect(isTransient(error)).toBe(true)
})

const about = { context: 'c', server: 'https://api.example:6443', method: 'GET', path: '/version' }
const socketError = (code: string) => Object.assign(new Error(`getaddrinfo ${code}`), { code })
test.each([
  [socketError('ENOTFOUND'), 'dns', 'lookup api.example: no such host'],
  [socketError('EAI_AGAIN'), 'dns', 'lookup api.example: the name server does not answer'],
  [socketError('ETIMEDOUT'), 'timeout', 'dial api.example:6443: i/o timeout'],
  [socketError('EHOSTUNREACH'), 'unreachable', 'dial api.example:6443: no route to host'],
  [new AggregateError([socketError('ENETUNREACH')]), 'unreachable', 'dial api.example:6443: network is unreachable'],
  [socketError('EPIPE'), 'reset', 'api.example:6443: the connection was closed before the answer was complete'],
  [socketError('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), 'tls', 'remote error: tls: bad certificate'],
  [socketError('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE'), 'tls', 'remote error: tls: bad certificate'],
  [
    new Error('write EPROTO 40:error:0A:SSL routines:x:tlsv13 alert certificate required:ssl/y.c:9:'),
    'tls',
    'remote error: tls: certificate required',
  ],
  ['odd', 'other', 'odd'],
])('%s', (error, kind, detail) => {
  const { failure, message, ...rest } = connectionError(error, about)
  expect([failure, rest.detail, message]).toEqual([kind, detail, `Unable to connect to the server: ${detail}`])
})

test('a server that accepts and says nothing', async () => {
  await using silent = await tcp(() => undefined)
  const error = await version(`https://${silent.address}`, { requestTimeoutMs: 50 })
  expect(error.failure).toBe('timeout')
  expect(error.detail).toContain('no answer in 0.05s')
})

test('an answer that does not end in time', async () => {
  await using server = await startFakeApiServer()
  server.on('GET /version', response => void response.writeHead(200).write('{'))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const failed = version(server.url, { requestTimeoutMs: 30_000 })
  await soon(() => server.seen.length).toBe(1)
  vi.advanceTimersByTime(30_000)
  expect((await failed).detail).toBe(`GET ${server.url}/version: no answer in 30s`)
  vi.useRealTimers()
  await soon(() => server.open()).toBe(0)
})

test('an answer that is cut off', async () => {
  await using server = await startFakeApiServer()
  server.on('GET /version', response => {
    response.writeHead(200, { 'Content-Length': 100 }).write('{')
    setTimeout(() => response.destroy(), 20)
    return undefined
  })
  const error = await version(server.url)
  expect([error.failure, isTransient(error)]).toEqual(['reset', true])
})

test('a signal ends a call with its reason', async () => {
  await using server = await startFakeApiServer()
  server.on('GET /version', () => undefined)
  const controller = new AbortController()
  const call = failure(clientFor(server.url).raw('/version', { signal: controller.signal }))
  await soon(() => server.seen.length).toBe(1)
  const reason = new Error('stop')
  controller.abort(reason)
  expect(await call).toBe(reason)
  expect(await failure(clientFor(server.url).raw('/version', { signal: controller.signal }))).toBe(reason)
  await soon(() => server.open()).toBe(0)
})

const x509 = 'Unable to connect to the server: tls: failed to verify certificate: x509: '
const dayMs = 86_400_000
test.each([
  [
    'unknown authority',
    { certificateAuthorityData: base64(otherAuthority.certificate) },
    undefined,
    'tls-authority',
    'certificate signed by unknown authority',
  ],
  [
    'system roots only',
    { certificateAuthorityData: undefined },
    undefined,
    'tls-authority',
    'certificate signed by unknown authority',
  ],
  [
    'another name',
    {},
    leaf('x', ['a.example', '10.0.0.1']),
    'tls-name',
    'certificate is valid for a.example, 10.0.0.1, not 127.0.0.1',
  ],
  [
    'expired',
    {},
    leaf('x', ['127.0.0.1'], 1, new Date(Date.now() - 3 * dayMs)),
    'tls-expired',
    'certificate has expired',
  ],
  [
    'not yet valid',
    {},
    leaf('x', ['127.0.0.1'], 1, new Date(Date.now() + 3 * dayMs)),
    'tls-expired',
    'certificate is not yet valid',
  ],
  [
    'wrong tls-server-name',
    { tlsServerName: 'b.example' },
    leaf('x', ['a.example']),
    'tls-name',
    'certificate is valid for a.example, not b.example',
  ],
])('TLS: %s', async (_name, cluster, pair, kind, message) => {
  await using server = await startFakeApiServer(pair ? { pair } : {})
  const error = await version(server.url, { cluster })
  expect([error.failure, error.message, isTransient(error)]).toEqual([kind, x509 + message, false])
})

test('tls-server-name and insecure-skip-tls-verify', async () => {
  await using server = await startFakeApiServer({ pair: leaf('x', ['a.example']) })
  server.on('GET /version', {})
  const ask = (cluster: object) => clientFor(server.url, { cluster }).raw('/version')
  expect((await ask({ tlsServerName: 'a.example' })).status).toBe(200)
  expect((await ask({ insecureSkipTlsVerify: true, certificateAuthorityData: undefined })).status).toBe(200)
})

test('plain HTTP behind an https URL', async () => {
  await using plain = await tcp(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect((await version(`https://${plain.address}`)).detail).toBe(
    'the server answered in plain HTTP to an HTTPS client',
  )
})

test('a server that wants another client certificate', async () => {
  await using server = await startFakeApiServer({ requireClientCertificate: true })
  const error = await version(server.url)
  expect(error.message).toMatch(
    /^Unable to connect to the server: (remote error: tls: certificate required|.*connection was closed)/,
  )
})

test.each([
  [{ certificateAuthorityData: base64('junk') }, 'certificate-authority-data of cluster "test" holds no certificate'],
  [
    { certificateAuthority: '/no/ca', certificateAuthorityData: undefined },
    '/no/ca of cluster "test" cannot be read: no such file',
  ],
])('unusable authority %j', async (cluster, message) => {
  expect((await version('https://127.0.0.1:1', { cluster })).message).toBe(message)
})

const printed = (code: number, reason: string, message: string, details?: object) => {
  const { body } = status(code, reason, message, { details }) as { body: ConstructorParameters<typeof StatusError>[0] }
  return describeStatus(new StatusError(body, { context: 'c', server: 's', method: 'GET', path: '/' }))
}
const cause = (field: string) => ({ field, message: `Required value` })
test.each([
  [printed(404, 'NotFound', 'pods "x" not found'), 'Error from server (NotFound): pods "x" not found'],
  [printed(500, '', 'boom'), 'Error from server: boom'],
  [printed(401, 'Unauthorized', 'Unauthorized'), 'error: You must be logged in to the server (Unauthorized)'],
  [printed(422, 'Invalid', 'a test failed'), 'The request is invalid: a test failed'],
  [printed(422, 'Invalid', 'long', { kind: 'Service', name: 'x' }), 'The Service "x" is invalid'],
  [
    printed(422, 'Invalid', 'long', { kind: 'Service', name: 'x', causes: [cause('spec.ports'), cause('spec.ports')] }),
    'The Service "x" is invalid: spec.ports: Required value',
  ],
  [
    printed(422, 'Invalid', 'long', { kind: 'Service', name: 'x', causes: [cause('spec.a'), cause('spec.b')] }),
    'The Service "x" is invalid: \n* spec.a: Required value\n* spec.b: Required value',
  ],
])('as kubectl prints it: %s', (actual, expected) => {
  expect(actual).toBe(expected)
})
