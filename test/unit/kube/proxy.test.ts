import * as http from 'node:http'
import * as net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConnectionError } from '../../../src/kube/errors.ts'
import { isBypassed, proxyFor } from '../../../src/kube/proxy.ts'
import { clientFor, type FakeApiServer, failure, startFakeApiServer } from './fake-apiserver.ts'

test.each<[string, string, boolean]>([
  ['https://localhost', '', true],
  ['https://127.1.2.3:6443', '', true],
  ['https://[::1]', '', true],
  ['https://example.com', '', false],
  ['https://example.com', '*', true],
  ['https://example.com', 'example.com', true],
  ['https://api.example.com', 'example.com', true],
  ['https://badexample.com', 'example.com', false],
  ['https://example.com', '.example.com', false],
  ['https://api.example.com', ' other , .EXAMPLE.com', true],
  ['https://api.example.com', '*.example.com', true],
  ['https://example.com:6443', 'example.com:6443', true],
  ['https://example.com', 'example.com:443', true],
  ['https://example.com', 'example.com:6443', false],
  ['https://10.1.2.3:6443', '10.0.0.0/8', true],
  ['https://11.1.2.3', '10.0.0.0/8', false],
  ['https://10.1.2.3', '10.1.2.3', true],
  ['https://10.1.2.3:6443', '10.1.2.3:443', false],
  ['https://[fd00::1]', 'fd00::/8', true],
  ['https://[fd00::1]', 'fd00::1', true],
  ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
  ['https://10.1.2.3', 'nonsense/99,10.0.0.0/99', false],
])('%s with NO_PROXY=%s: past the proxy %s', (server, noProxy, past) => {
  expect(isBypassed(new URL(server), noProxy)).toBe(past)
})

test.each<[string, string | undefined, Record<string, string>, string | undefined]>([
  ['https://s', undefined, {}, undefined],
  ['https://s', undefined, { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2' }, 'http://p:1/'],
  ['https://s', undefined, { https_proxy: 'p:1' }, 'http://p:1/'],
  ['https://s', undefined, { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://s', undefined, { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
  ['https://s', undefined, { HTTPS_PROXY: 'http://p:1', no_proxy: 's' }, undefined],
  ['https://s', 'socks5://q:2', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 's' }, 'socks5://q:2'],
  ['https://localhost', 'http://q:2', {}, 'http://q:2/'],
])('%s with proxy-url %s in %j goes by %s', (server, proxyUrl, env, expected) => {
  expect(proxyFor(new URL(server), proxyUrl, env)?.href).toBe(expected)
})

test.each([
  ['ftp://p', 'proxy-url "ftp://p": proxies are http://, https:// or socks5://'],
  ['http://', 'proxy-url "http://" is not a URL'],
])('proxy-url %s', (proxyUrl, message) => {
  expect(() => proxyFor(new URL('https://s'), proxyUrl, {})).toThrow(message)
})

let server: FakeApiServer
beforeEach(async () => {
  server = await startFakeApiServer()
  server.on('GET /version', {})
})
afterEach(() => server.close())

/** An HTTP proxy that knows CONNECT, and what it was asked. */
async function connectProxy(answer = '200 OK') {
  const asked: { target: string | undefined; login: string | undefined }[] = []
  const proxy = http.createServer()
  proxy.on('connect', (request, socket) => {
    asked.push({ target: request.url, login: request.headers['proxy-authorization'] })
    const [host, port] = (request.url ?? '').split(':')
    socket.write(`HTTP/1.1 ${answer}\r\n\r\n`)
    if (!answer.startsWith('200')) return socket.end()
    const upstream = net.connect(Number(port), host)
    socket.pipe(upstream).pipe(socket)
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as net.AddressInfo
  return { asked, port, [Symbol.asyncDispose]: async () => void proxy.close() }
}

test('proxy-url: CONNECT with its login, one tunnel for many calls', async () => {
  await using proxy = await connectProxy()
  const client = clientFor(server.url, { cluster: { proxyUrl: `http://me:p%40ss@127.0.0.1:${proxy.port}` } })
  for (let i = 0; i < 3; i++) await client.raw('/version')
  const login = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
  expect(proxy.asked).toEqual([{ target: `127.0.0.1:${server.port}`, login }])
  expect(server.accepted()).toBe(1)
})

test('TLS is checked end to end through a proxy', async () => {
  await using proxy = await connectProxy()
  const cluster = { proxyUrl: `http://127.0.0.1:${proxy.port}`, tlsServerName: 'other.example' }
  const error = await failure<ConnectionError>(clientFor(server.url, { cluster }).raw('/version'))
  expect(error.failure).toBe('tls-name')
})

test('a proxy that refuses', async () => {
  await using proxy = await connectProxy('407 Proxy Authentication Required')
  const cluster = { proxyUrl: `http://me:secret@127.0.0.1:${proxy.port}` }
  const error = await failure<ConnectionError>(clientFor(server.url, { cluster }).raw('/version'))
  expect(error.failure).toBe('proxy')
  expect(error.message).toBe(
    `Unable to connect to the server: proxy http://127.0.0.1:${proxy.port}: CONNECT 127.0.0.1:${server.port} was answered with 407 Proxy Authentication Required`,
  )
})

test.each(['http', 'https', 'socks5'])('a %s proxy that is not there', async scheme => {
  const { port, close } = await startFakeApiServer()
  await close()
  const cluster = { proxyUrl: `${scheme}://127.0.0.1:${port}` }
  const error = await failure<ConnectionError>(clientFor(server.url, { cluster }).raw('/version'))
  expect(error.message).toBe(`Unable to connect to the server: proxy ${scheme}://127.0.0.1:${port}: connection refused`)
})

/** A SOCKS5 proxy for IPv4 targets; with a login when one is given. */
async function socksProxy(login?: string) {
  const targets: string[] = []
  const proxy = net.createServer(async socket => {
    socket.on('error', () => undefined)
    const read = async (length: number): Promise<Buffer> => {
      for (;;) {
        const chunk = socket.read(length) as Buffer | null
        if (chunk) return chunk
        await new Promise(resolve => socket.once('readable', resolve))
      }
    }
    const [, methods = 0] = await read(2)
    const offered = await read(methods)
    socket.write(Buffer.from([5, offered.includes(login ? 2 : 0) ? (login ? 2 : 0) : 255]))
    if (login) {
      const user = await read((await read(2))[1] ?? 0)
      const password = await read((await read(1))[0] ?? 0)
      socket.write(Buffer.from([1, `${user}:${password}` === login ? 0 : 1]))
    }
    const [, , , , a, b, c, d, high = 0, low = 0] = await read(10)
    const target = `${a}.${b}.${c}.${d}:${high * 256 + low}`
    targets.push(target)
    const upstream = net.connect(high * 256 + low, `${a}.${b}.${c}.${d}`, () => {
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
      socket.pipe(upstream).pipe(socket)
    })
    upstream.on('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])))
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as net.AddressInfo
  return { targets, port, [Symbol.asyncDispose]: async () => void proxy.close() }
}

const through = (proxyUrl: string, url = server.url) => clientFor(url, { cluster: { proxyUrl } }).raw('/version')

test('a SOCKS5 proxy, with and without a login', async () => {
  await using open = await socksProxy()
  expect((await through(`socks5://127.0.0.1:${open.port}`)).status).toBe(200)
  expect(open.targets).toEqual([`127.0.0.1:${server.port}`])
  await using guarded = await socksProxy('me:pass')
  expect((await through(`socks5h://me:pass@127.0.0.1:${guarded.port}`)).status).toBe(200)
  expect((await failure(through(`socks5://me:wrong@127.0.0.1:${guarded.port}`))).message).toContain(
    'it refuses the login',
  )
  expect((await failure(through(`socks5://127.0.0.1:${guarded.port}`))).message).toContain('it wants a login')
})

test('a SOCKS5 proxy that cannot reach the server', async () => {
  await using proxy = await socksProxy()
  const { port, close } = await startFakeApiServer()
  await close()
  const error = await failure(through(`socks5://127.0.0.1:${proxy.port}`, `https://127.0.0.1:${port}`))
  expect(error.message).toContain(`CONNECT 127.0.0.1:${port} failed: connection refused`)
})
