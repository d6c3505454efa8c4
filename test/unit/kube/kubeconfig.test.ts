import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { chooseContext, connectionOf, type Overrides } from '../../../src/kube/connection.ts'
import { mergeKubeconfigs, parseKubeconfig } from '../../../src/kube/kubeconfig.ts'
import { kubeconfigFiles, loadKubeconfig } from '../../../src/kube/kubeconfig-files.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  const named = (name: string, server: string) => `
current-context: ${name}
contexts: [{name: ${name}, context: {cluster: x, user: u}}]
clusters: [{name: x, cluster: {server: "${server}"}}]
users: [{name: u, user: {token: ${name}}}]
`
  await writeFile(join(folder, 'a'), named('a', 'https://a'))
  await writeFile(join(folder, 'b'), named('b', 'https://b'))
  await writeFile(join(folder, 'no-current'), 'users: [{name: only-here, user: {}}]')
  await writeFile(join(folder, 'empty'), '')
  await writeFile(join(folder, 'comment'), '# nothing\n')
  await writeFile(join(folder, 'null'), 'apiVersion: v1\nkind: Config\nclusters: null\ncontexts: null\nusers: null\n')
  await writeFile(join(folder, 'broken'), 'a: b: c')
})
afterAll(() => rm(folder, { recursive: true }))

const load = (...names: string[]) =>
  loadKubeconfig({ env: { KUBECONFIG: names.map(name => name && join(folder, name)).join(delimiter) } })

const failureOf = (action: () => unknown): UserError => {
  try {
    action()
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('KUBECONFIG: the first file to name something wins', async () => {
  const merged = await load('a', 'b')
  expect(merged.currentContext).toBe('a')
  expect([...merged.contexts.keys()]).toEqual(['a', 'b'])
  expect(merged.clusters.get('x')?.server).toBe('https://a')
  expect(merged.users.get('u')?.token).toBe('a')
})

test('KUBECONFIG: the first current-context, not the first file', async () => {
  expect((await load('no-current', 'b', 'a')).currentContext).toBe('b')
})

test.each([
  [['a', 'missing'], 'a'],
  [['missing', '', 'b'], 'b'],
  [['a', 'a'], 'a'],
  [['empty'], undefined],
  [['comment', 'null'], undefined],
  [['missing'], undefined],
])('KUBECONFIG=%j is fine', async (names, current) => {
  expect((await load(...names)).currentContext).toBe(current)
})

test('~/.kube/config without KUBECONFIG, also when that is empty', () => {
  expect(kubeconfigFiles({ HOME: '/home/me', KUBECONFIG: '' })).toEqual([join('/home/me', '.kube', 'config')])
})

test('--kubeconfig is that file alone', async () => {
  const env = { KUBECONFIG: join(folder, 'a') }
  expect((await loadKubeconfig({ env, path: join(folder, 'b') })).currentContext).toBe('b')
})

test.each([
  ['missing', 'cannot be read: no such file'],
  ['.', 'cannot be read: it is a directory'],
  ['broken', 'cannot be parsed: bad indentation of a mapping entry'],
])('--kubeconfig %s', async (name, why) => {
  const error = await loadKubeconfig({ env: {}, path: join(folder, name) }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(UserError)
  expect((error as UserError).message).toContain(`kubeconfig ${join(folder, name)} ${why}`)
})

test.each([
  ['clusters: {x: 1}', 'clusters is not a list'],
  ['- 1', 'the file is not a map'],
  ['users: [{name: u, user: {token: [1]}}]', 'users[0].user.token is not a string'],
  ['users: [{name: u, user: {token: 12}}]', 'users[0].user.token is not a string: put it in quotes'],
  ['users: [{name: u}, {name: u}]', 'users: "u" is not unique in the list'],
  [
    'clusters: [{name: c, cluster: {insecure-skip-tls-verify: perhaps}}]',
    'clusters[0].cluster.insecure-skip-tls-verify is not true or false',
  ],
])('%s: one error naming file and field', (text, why) => {
  expect(failureOf(() => parseKubeconfig(text, '/k')).message).toBe(`kubeconfig /k: ${why}`)
})

test('relative files stand beside the kubeconfig; a bare command is for PATH', () => {
  const user = 'client-certificate: c.crt, client-key: ../c.key, tokenFile: /abs/token'
  const { users, clusters } = parseKubeconfig(
    `clusters: [{name: c, cluster: {certificate-authority: pki/ca.crt}}]
users:
- {name: u, user: {${user}}}
- {name: beside, user: {exec: {apiVersion: v, command: ./plugin}}}
- {name: below, user: {exec: {apiVersion: v, command: bin/plugin}}}
- {name: path, user: {exec: {apiVersion: v, command: plugin}}}`,
    '/etc/kube/config',
  )
  expect(clusters.get('c')?.certificateAuthority).toBe('/etc/kube/pki/ca.crt')
  expect(users.get('u')).toMatchObject({
    clientCertificate: '/etc/kube/c.crt',
    clientKey: '/etc/c.key',
    tokenFile: '/abs/token',
  })
  const commands = ['beside', 'below', 'path'].map(name => users.get(name)?.exec?.command)
  expect(commands).toEqual(['/etc/kube/plugin', '/etc/kube/bin/plugin', 'plugin'])
})

test('a repeated key counts last, merge keys are merged, and yes is true where a boolean is wanted', () => {
  const { users, clusters } = parseKubeconfig(
    `base: &base {server: "https://x", insecure-skip-tls-verify: yes}
clusters: [{name: c, cluster: {<<: *base, tls-server-name: t}}]
users: [{name: u, user: {token: a, token: b, password: 2020-01-01}}]`,
    '/k',
  )
  expect(users.get('u')).toMatchObject({ token: 'b', password: '2020-01-01' })
  expect(clusters.get('c')).toMatchObject({ server: 'https://x', insecureSkipTlsVerify: true, tlsServerName: 't' })
})

test('JSON, with everything that a user may have', () => {
  const user = {
    as: 'bob',
    'as-groups': ['g1', 'g2'],
    'as-uid': '7',
    'as-user-extra': { scope: ['a'] },
    'auth-provider': { name: 'oidc', config: { 'id-token': 'x' } },
    exec: {
      apiVersion: 'v1',
      command: 'p',
      args: ['a', '1'],
      env: [{ name: 'A', value: 'b' }],
      provideClusterInfo: true,
    },
  }
  expect(parseKubeconfig(JSON.stringify({ users: [{ name: 'u', user }] }), '/k').users.get('u')).toMatchObject({
    as: 'bob',
    asGroups: ['g1', 'g2'],
    asUid: '7',
    asUserExtra: { scope: ['a'] },
    authProvider: { name: 'oidc', config: { 'id-token': 'x' } },
    exec: { args: ['a', '1'], env: [{ name: 'A', value: 'b' }], provideClusterInfo: true },
  })
})

const one = parseKubeconfig(
  `current-context: one
contexts:
- {name: one, context: {cluster: c, user: u, namespace: ns}}
- {name: lost, context: {cluster: gone, user: u}}
- {name: nobody, context: {cluster: c, user: gone}}
- {name: serverless, context: {cluster: empty, user: u}}
- {name: both, context: {cluster: both, user: u}}
clusters:
- {name: c, cluster: {server: "https://one:6443/", tls-server-name: inside, certificate-authority: /ca}}
- {name: d, cluster: {server: "HTTP://two"}}
- {name: odd, cluster: {server: "ftp://x"}}
- {name: empty, cluster: {}}
- {name: both, cluster: {server: "https://x", certificate-authority: /ca, insecure-skip-tls-verify: true}}
users:
- {name: u, user: {tokenFile: /t}}
- {name: v, user: {as: eve}}`,
  '/k',
)

test('a context is its cluster, user and namespace', () => {
  expect(connectionOf(one, 'one')).toMatchObject({
    context: 'one',
    namespace: 'ns',
    cluster: { name: 'c', server: 'https://one:6443', tlsServerName: 'inside' },
    user: { name: 'u', tokenFile: '/t' },
  })
})

test.each<[Overrides, object]>([
  [{ cluster: 'd' }, { namespace: 'ns', cluster: { server: 'http://two' }, user: { name: 'u' } }],
  [
    { user: 'v', namespace: 'other' },
    { namespace: 'other', user: { name: 'v', as: 'eve' } },
  ],
  [{ token: 't' }, { user: { token: 't', tokenFile: undefined } }],
  [{ server: 'https://new' }, { cluster: { server: 'https://new', tlsServerName: undefined } }],
  [{ server: 'new:8080' }, { cluster: { server: 'http://new:8080' } }],
  [{ tlsServerName: 'n' }, { cluster: { tlsServerName: 'n' } }],
  [{ insecureSkipTlsVerify: true }, { cluster: { insecureSkipTlsVerify: true, certificateAuthority: undefined } }],
  [{ as: 'bob', asGroups: ['g'], asUid: '1' }, { user: { as: 'bob', asGroups: ['g'], asUid: '1' } }],
])('overrides %j', (overrides, expected) => {
  expect(connectionOf(one, 'one', overrides)).toMatchObject(expected)
})

test.each<[string, Overrides, string]>([
  ['nope', {}, 'context "nope" does not exist'],
  ['lost', {}, 'cluster "gone" of context "lost" is not in the kubeconfig'],
  ['nobody', {}, 'user "gone" of context "nobody" is not in the kubeconfig'],
  ['serverless', {}, 'cluster "empty" of context "serverless" has no server'],
  ['one', { cluster: 'odd' }, 'server "ftp://x" of cluster "odd" is not an http:// or https:// URL'],
  ['one', { asGroups: ['g'] }, 'a group, uid or extra field can only be impersonated together with a user'],
  ['both', {}, 'cluster "both" has a certificate authority and insecure-skip-tls-verify; only one is allowed'],
])('context %s with %j', (context, overrides, message) => {
  expect(failureOf(() => connectionOf(one, context, overrides)).message).toBe(message)
})

test('the context to work in', () => {
  expect(chooseContext(one)).toBe('one')
  expect(chooseContext(one, 'lost')).toBe('lost')
  expect(failureOf(() => chooseContext(one, 'nope')).hint).toContain('contexts: one, lost')
  expect(failureOf(() => chooseContext(mergeKubeconfigs([]))).hint).toBe('set KUBECONFIG or --kubeconfig')
})
