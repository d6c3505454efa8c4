import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { UserError } from '../../../src/errors.ts'
import type { ExecConfig, KubeconfigUser } from '../../../src/kube/kubeconfig.ts'
import {
  base64,
  clientFor,
  clientPair,
  type FakeApiServer,
  failure,
  startFakeApiServer,
  status,
} from './fake-apiserver.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'))
})
afterAll(() => rm(folder, { recursive: true }))

let server: FakeApiServer
beforeEach(async () => {
  server = await startFakeApiServer()
  server.on('GET /version', {})
})
afterEach(() => server.close())

const authorization = () => server.seen.at(-1)?.headers.authorization
const as = (user: Partial<KubeconfigUser>, options: Parameters<typeof clientFor>[1] = {}) =>
  clientFor(server.url, { user, env: { PATH: process.env['PATH'] }, ...options })

test('token and login', async () => {
  await as({ token: 't0ken' }).raw('/version')
  expect(authorization()).toBe('Bearer t0ken')
  await as({ username: 'me', password: 'pass' }).raw('/version')
  expect(authorization()).toBe(`Basic ${base64('me:pass')}`)
})

test('tokenFile is read again when it changes, goes before token, and may be away for a moment', async () => {
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, 'one\n')
  const client = as({ tokenFile, token: 'fallback' })
  await client.raw('/version')
  expect(authorization()).toBe('Bearer one')
  await writeFile(tokenFile, 'two')
  await client.raw('/version')
  expect(authorization()).toBe('Bearer two')
  await rm(tokenFile)
  await client.raw('/version')
  expect(authorization()).toBe('Bearer two')
  await expect(as({ tokenFile }).raw('/version')).rejects.toThrow(
    `tokenFile ${tokenFile} of user "test" cannot be read`,
  )
})

test('client certificate as data and as files', async () => {
  const data = { clientCertificateData: base64(clientPair.certificate), clientKeyData: base64(clientPair.key) }
  await as(data).raw('/version')
  expect(server.seen.at(-1)?.user).toBe('alice')
  const [clientCertificate, clientKey] = [join(folder, 'c.crt'), join(folder, 'c.key')]
  await writeFile(clientCertificate, clientPair.certificate)
  await writeFile(clientKey, clientPair.key)
  await as({ clientCertificate, clientKey }).raw('/version')
  expect(server.seen.at(-1)?.user).toBe('alice')
  const missing = await failure(as({ clientCertificate, clientKey: '/no/key' }).raw('/version'))
  expect(missing.message).toBe('/no/key of user "test" cannot be read: no such file')
  const junk = await failure(as({ ...data, clientKeyData: base64('junk') }).raw('/version'))
  expect(junk.message).toMatch(/^the client certificate for cluster "test" cannot be used: /)
})

test('impersonation, every header', async () => {
  const user = { as: 'bob', asUid: '7', asGroups: ['g1', 'g2'], asUserExtra: { 'a/b': ['x', 'y'] } }
  await as(user).raw('/version')
  const raw = server.seen.at(-1)?.rawHeaders ?? []
  const sent = raw.flatMap((name, i) =>
    i % 2 === 0 && name.startsWith('Impersonate') ? [`${name}: ${raw[i + 1]}`] : [],
  )
  expect(sent).toEqual([
    'Impersonate-User: bob',
    'Impersonate-Uid: 7',
    'Impersonate-Group: g1',
    'Impersonate-Group: g2',
    'Impersonate-Extra-a%2Fb: x',
    'Impersonate-Extra-a%2Fb: y',
  ])
})

test('nothing secret goes over plain http', async () => {
  let headers: http.IncomingHttpHeaders = {}
  const plain = http.createServer((request, response) => {
    headers = request.headers
    response.end('{}')
  })
  await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
  const { port } = plain.address() as AddressInfo
  await clientFor(`http://127.0.0.1:${port}`, { user: { token: 'secret' } }).raw('/version')
  expect(headers.authorization).toBeUndefined()
  expect(headers['user-agent']).toBe('kubectl-karmada-net')
  plain.closeAllConnections()
  plain.close()
})

const v1 = 'client.authentication.k8s.io/v1'
let plugins = 0

/** A plugin made of a shell script that prints an ExecCredential with the given status. */
async function plugin(body: string, config: Partial<ExecConfig> = {}): Promise<ExecConfig> {
  const command = join(folder, `plugin-${++plugins}`)
  await writeFile(command, `#!/bin/sh\n${body}\n`)
  await chmod(command, 0o755)
  return { apiVersion: v1, command, args: [], env: [], provideClusterInfo: false, interactiveMode: 'Never', ...config }
}

const print = (status: object, apiVersion = v1) =>
  `cat <<'END'\n${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\nEND`

/** Prints the token 1, then 2 ... */
const counting = (file: string, expires = '') =>
  `echo x >> ${file}; n=$(wc -l < ${file} | tr -d ' ')
echo "{\\"apiVersion\\":\\"${v1}\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"$n\\"${expires}}}"`

test('exec: one run serves many calls, also those that come together', async () => {
  const client = as({ exec: await plugin(counting(join(folder, 'many'))) })
  await Promise.all([client.raw('/version'), client.raw('/version'), client.raw('/version')])
  await client.raw('/version')
  expect(server.seen.map(request => request.headers.authorization)).toEqual(Array(4).fill('Bearer 1'))
})

test('exec: contexts of one user log in once, unless the plugin is told of the cluster', async () => {
  const exec = await plugin(counting(join(folder, 'shared')))
  await as({ exec }).raw('/version')
  await as({ exec }, { cluster: { tlsServerName: 'localhost' } }).raw('/version')
  const told = await plugin(counting(join(folder, 'told')), { provideClusterInfo: true })
  await as({ exec: told }).raw('/version')
  await as({ exec: told }, { cluster: { tlsServerName: 'localhost' } }).raw('/version')
  expect(server.seen.map(request => request.headers.authorization?.at(-1))).toEqual(['1', '1', '1', '2'])
})

test('exec: run again when the credential has expired', async () => {
  const expired = ',\\"expirationTimestamp\\":\\"2020-01-01T00:00:00Z\\"'
  const client = as({ exec: await plugin(counting(join(folder, 'expired'), expired)) })
  await client.raw('/version')
  await client.raw('/version')
  expect(server.seen.map(request => request.headers.authorization)).toEqual(['Bearer 1', 'Bearer 2'])
})

test('exec: run again once after 401', async () => {
  const client = as({ exec: await plugin(counting(join(folder, 'renewed'))) })
  server.on('GET /version', status(401, 'Unauthorized', 'Unauthorized'), {})
  expect((await client.raw('/version')).status).toBe(200)
  expect(authorization()).toBe('Bearer 2')
  server.on('GET /version', status(401, 'Unauthorized', 'Unauthorized'))
  expect((await client.raw('/version')).status).toBe(401)
  expect(authorization()).toBe('Bearer 3')
})

test('exec: what the plugin is told', async () => {
  const script = `echo '${JSON.stringify({ apiVersion: v1, kind: 'ExecCredential' }).slice(0, -1)},"status":{"token":"'$A-$1-$(printf %s "$KUBERNETES_EXEC_INFO" | base64 | tr -d '\\n')'"}}'`
  const env = [{ name: 'A', value: 'a' }]
  const told = async (config: Partial<ExecConfig>) => {
    const exec = await plugin(script, { args: ['arg'], env, ...config })
    await as({ exec }, { cluster: { execConfig: { audience: 'x' } } }).raw('/version')
    const [, a, arg, info] = /^Bearer (\w+)-(\w+)-(.*)$/.exec(authorization() ?? '') ?? []
    expect([a, arg]).toEqual(['a', 'arg'])
    return JSON.parse(Buffer.from(info ?? '', 'base64').toString())
  }
  expect(await told({})).toEqual({ kind: 'ExecCredential', apiVersion: v1, spec: { interactive: false } })
  const { spec } = await told({ provideClusterInfo: true })
  expect(spec.cluster).toMatchObject({ server: server.url, config: { audience: 'x' } })
  expect(Buffer.from(spec.cluster['certificate-authority-data'], 'base64').toString()).toContain('BEGIN CERTIFICATE')
})

test('exec: a client certificate', async () => {
  const { certificate: clientCertificateData, key: clientKeyData } = clientPair
  await as({ exec: await plugin(print({ clientCertificateData, clientKeyData })) }).raw('/version')
  expect(server.seen.at(-1)?.user).toBe('alice')
})

test('exec: v1beta1, and stderr shown as it comes', async () => {
  const beta = 'client.authentication.k8s.io/v1beta1'
  const script = `echo 'open https://login.example/device' >&2\n${print({ token: 't' }, beta)}`
  const exec = await plugin(script, { apiVersion: beta, interactiveMode: undefined })
  let stderr = ''
  const onPluginStderr = (text: string) => {
    stderr += text
  }
  await as({ exec }, { onPluginStderr }).raw('/version')
  expect(stderr).toBe('open https://login.example/device\n')
  expect(authorization()).toBe('Bearer t')
})

test.each<[string, string, Partial<ExecConfig>, string]>([
  ['fails', 'exit 3', {}, 'failed with exit code 3'],
  ['says nothing', 'true', {}, 'did not print an ExecCredential'],
  ['gives nothing', print({}), {}, 'returned neither a token nor a certificate'],
  ['gives half', print({ clientCertificateData: 'x' }), {}, 'returned only certificate or key, not both'],
  ['answers in another version', print({ token: 't' }, 'x/v2'), {}, `returned x/v2, the kubeconfig wants ${v1}`],
  ['has an old version', 'true', { apiVersion: 'client.authentication.k8s.io/v1alpha1' }, 'is not supported'],
  ['must ask', 'true', { interactiveMode: 'Always' }, 'standard input is not a terminal'],
  ['does not say whether it asks', 'true', { interactiveMode: undefined }, 'interactiveMode is not set'],
])('exec: a plugin that %s', async (_name, script, config, message) => {
  const exec = await plugin(script, config)
  const error = await failure(as({ exec }).raw('/version'))
  expect(error.message).toContain(`exec plugin ${exec.command}`)
  expect(error.message).toContain(message)
  expect(error.message).not.toContain('clientCertificateData')
})

test('exec: a plugin that is not installed', async () => {
  const exec = await plugin('', { command: 'no-such-plugin', installHint: 'get it\u001b[1m here' })
  const error = await failure<UserError>(as({ exec }).raw('/version'))
  expect(error.message).toBe('exec plugin no-such-plugin: not found')
  expect(error.hint).toBe('get it[1m here')
})

test('exec: a signal ends the wait for a plugin', async () => {
  const controller = new AbortController()
  const call = failure(as({ exec: await plugin('exec sleep 2') }).raw('/version', { signal: controller.signal }))
  controller.abort(new Error('stop'))
  expect((await call).message).toBe('stop')
  expect(server.seen).toHaveLength(0)
})

test('exec: a token goes before the plugin', async () => {
  await as({ token: 'first', exec: await plugin('exit 1') }).raw('/version')
  expect(authorization()).toBe('Bearer first')
})

test('auth-provider: a login that is still good, and one that is not', async () => {
  const jwt = (exp: number) =>
    ['{}', JSON.stringify({ exp }), ''].map(part => Buffer.from(part).toString('base64url')).join('.')
  const oidc = (exp: number) => ({ authProvider: { name: 'oidc', config: { 'id-token': jwt(exp) } } })
  await as(oidc(Date.now() / 1000 + 1000)).raw('/version')
  expect(authorization()).toMatch(/^Bearer e30\./)
  const error = await failure(as(oidc(1)).raw('/version'))
  expect(error.message).toBe('auth-provider oidc of user "test" gives no login; log in again')
})
