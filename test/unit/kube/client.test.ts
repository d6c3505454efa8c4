import * as https from 'node:https'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyConflicts, isConflict, StatusError } from '../../../src/kube/errors.ts'
import type { KubeClient, KubeObject } from '../../../src/kube/types.ts'
import { clientFor, type FakeApiServer, failure, soon, startFakeApiServer, status } from './fake-apiserver.ts'

let server: FakeApiServer
let client: KubeClient
beforeEach(async () => {
  server = await startFakeApiServer()
  client = clientFor(server.url)
})
afterEach(() => server.close())

const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'default' }
const path = '/api/v1/namespaces/default/configmaps/a'
const object = (more: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', ...metadata },
  ...more,
})
const last = () => server.seen.at(-1)

test('get', async () => {
  server.on(`GET ${path}`, { body: object({ data: { x: '1' } }) })
  expect(await client.get(ref)).toMatchObject({ data: { x: '1' } })
  expect(server.seen).toHaveLength(1)
})

test('get of what is not there says so as kubectl does', async () => {
  server.on(`GET ${path}`, status(404, 'NotFound', 'configmaps "a" not found'))
  const error = await failure<StatusError>(client.get(ref))
  expect(error).toBeInstanceOf(StatusError)
  expect([error.code, error.reason, error.message]).toEqual([404, 'NotFound', 'configmaps "a" not found'])
  expect(error.request).toMatchObject({ context: 'test', method: 'GET', path })
})

test('find of an object, or of a kind, that is not there', async () => {
  expect(await client.find(ref)).toBeUndefined()
  expect(await client.find({ ...ref, apiVersion: 'example.com/v1', kind: 'Thing' })).toBeUndefined()
  server.on(`GET ${path}`, status(403, 'Forbidden', 'no'))
  expect((await failure<StatusError>(client.find(ref))).code).toBe(403)
})

test('40 calls use one connection, also below a prefix', async () => {
  server.on(`GET ${path}`, { body: object() })
  server.on(`GET /proxy${path}`, { body: object() })
  for (let i = 0; i < 20; i++) {
    await client.get(ref)
    await client.at('/proxy/').get(ref)
  }
  expect(server.accepted()).toBe(1)
  client.close()
  await soon(() => server.open()).toBe(0)
})

test('create', async () => {
  server.on('POST /api/v1/namespaces/default/configmaps', { status: 201, body: object() })
  await client.create(object(), { dryRun: true })
  expect(last()?.query).toEqual({ fieldManager: 'kubectl-karmada-net', dryRun: 'All' })
  expect(JSON.parse(last()?.body ?? '')).toEqual(object())
})

test('a namespaced object without a namespace is refused before it is sent', async () => {
  await expect(client.create(object({}, { namespace: undefined }))).rejects.toThrow('needs a namespace')
  await expect(client.get({ ...ref, namespace: undefined })).rejects.toThrow('needs a namespace')
  expect(server.seen).toHaveLength(0)
})

test('delete: background propagation, and whether there was something', async () => {
  server.on(`DELETE ${path}`, { body: { kind: 'Status', status: 'Success' } }, status(404, 'NotFound', 'gone'))
  expect(await client.delete(ref, { dryRun: true })).toBe(true)
  expect(JSON.parse(last()?.body ?? '')).toMatchObject({ propagationPolicy: 'Background' })
  // With a body the query is not read.
  expect(JSON.parse(last()?.body ?? '')).toMatchObject({ dryRun: ['All'] })
  expect(await client.delete(ref)).toBe(false)
})

test('patches say what they are', async () => {
  server.on(`PATCH ${path}`, { body: object() })
  const patch = [{ op: 'test', path: '/metadata/resourceVersion', value: '7' } as const]
  await client.jsonPatch(ref, patch)
  expect(last()?.headers['content-type']).toBe('application/json-patch+json')
  expect(JSON.parse(last()?.body ?? '')).toEqual(patch)
  await client.mergePatch(ref, { data: { x: null } })
  expect(last()?.headers['content-type']).toBe('application/merge-patch+json')
})

test.each<[string, KubeObject | undefined, KubeObject, number, string]>([
  ['was not there', undefined, object({}, { resourceVersion: '1' }), 201, 'created'],
  ['same version', object({}, { resourceVersion: '1' }), object({}, { resourceVersion: '1' }), 200, 'unchanged'],
  [
    'other content',
    object({ data: { x: '1' } }, { resourceVersion: '1' }),
    object({ data: { x: '2' } }, { resourceVersion: '2' }),
    200,
    'configured',
  ],
  [
    'dry run: old version, other content',
    object({ data: { x: '1' } }, { resourceVersion: '1' }),
    object({ data: { x: '2' } }, { resourceVersion: '1' }),
    200,
    'configured',
  ],
  [
    'a controller wrote the status meanwhile',
    object({ status: { n: 1 } }, { resourceVersion: '1' }),
    object({ status: { n: 2 } }, { resourceVersion: '2', managedFields: [{}] }),
    200,
    'unchanged',
  ],
])('apply, %s', async (_name, before, after, code, outcome) => {
  server.on(`GET ${path}`, before ? { body: before } : status(404, 'NotFound', 'configmaps "a" not found'))
  server.on(`PATCH ${path}`, { status: code, body: after })
  expect((await client.apply(object())).outcome).toBe(outcome)
})

test('apply is server-side, and sends nothing that only servers write', async () => {
  server.on(`PATCH ${path}`, { status: 201, body: object() })
  const managed = {
    managedFields: [{ manager: 'x' }],
    resourceVersion: '3',
    uid: 'u',
    labels: { a: 'b', c: undefined },
  }
  await client.apply(object({}, managed), { force: true })
  expect(last()?.headers['content-type']).toBe('application/apply-patch+yaml')
  expect(last()?.query).toEqual({ fieldManager: 'kubectl-karmada-net', force: 'true' })
  expect(JSON.parse(last()?.body ?? '')).toEqual(object({}, { labels: { a: 'b' } }))
})

test('an apply conflict names field and manager', async () => {
  const message = 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .data.x'
  const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using v1', field: '.data.x' }]
  server.on(`GET ${path}`, { body: object() })
  server.on(`PATCH ${path}`, status(409, 'Conflict', message, { details: { causes } }))
  const error = await failure(client.apply(object()))
  expect(isConflict(error)).toBe(true)
  expect(error.message).toBe(message)
  expect(applyConflicts(error)).toEqual([{ field: '.data.x', manager: 'kubectl' }])
})

test('a kind that is not known is discovered once', async () => {
  const resources = [
    { name: 'things/status', kind: 'Thing', namespaced: true },
    { name: 'things', kind: 'Thing', namespaced: false },
  ]
  server.on('GET /apis/example.com/v1', { body: { resources } })
  server.on('GET /apis/example.com/v1/things/x', { body: object() })
  const thing = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', namespace: 'ignored' }
  await client.get(thing)
  await client.get(thing)
  expect(server.seen.map(request => request.path)).toEqual([
    '/apis/example.com/v1',
    '/apis/example.com/v1/things/x',
    '/apis/example.com/v1/things/x',
  ])
  const error = await failure(client.get({ ...thing, kind: 'Other' }))
  expect(error.message).toBe(`the server doesn't have a resource type "Other" in example.com/v1`)
})

test('list: all pages, selectors, and kinds filled in', async () => {
  const item = (name: string) => ({ metadata: { name } })
  server.on(
    'GET /api/v1/configmaps',
    { body: { items: [item('a')], metadata: { continue: 'next', resourceVersion: '5' } } },
    { body: { items: [item('b')], metadata: { resourceVersion: '5' } } },
  )
  const items = await client.list({ apiVersion: 'v1', kind: 'ConfigMap', labelSelector: 'a=b,c!=d' })
  expect(items).toEqual(['a', 'b'].map(name => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })))
  expect(server.seen.map(request => request.query)).toEqual([
    { labelSelector: 'a=b,c!=d', limit: '500' },
    { labelSelector: 'a=b,c!=d', limit: '500', continue: 'next' },
  ])
})

test('list: expired pages are read again in one piece', async () => {
  const item = (name: string) => ({ metadata: { name } })
  server.on(
    'GET /api/v1/namespaces/x/configmaps',
    { body: { items: [item('a')], metadata: { continue: 'next' } } },
    status(410, 'Expired', 'The provided continue parameter is too old'),
    { body: { items: [item('b'), item('c')], metadata: {} } },
  )
  const items = await client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'x' })
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['b', 'c'])
  expect(last()?.query).toEqual({})
})

test('raw: any status is an answer', async () => {
  server.on('GET /readyz', { status: 503, headers: { 'X-Some': 'thing' }, body: 'no' })
  const answer = await client.raw('readyz', { query: { verbose: '', skip: undefined } })
  expect(answer).toMatchObject({ status: 503, text: 'no', headers: { 'x-some': 'thing' } })
  expect(last()?.query).toEqual({ verbose: '' })
})

test('stream: the body as it comes; leaving the loop closes the connection', async () => {
  server.on('GET /log', response => {
    response.writeHead(200).write('one\n')
    return undefined
  })
  for await (const chunk of await client.stream('/log')) {
    expect(Buffer.from(chunk).toString()).toBe('one\n')
    break
  }
  await soon(() => server.open()).toBe(0)
  server.on('GET /log', status(400, 'BadRequest', 'container "x" is waiting to start'))
  await expect(client.stream('/log')).rejects.toThrow('container "x" is waiting to start')
})

test.each([
  [
    'html of a proxy',
    502,
    '<html>\n<body>Bad gateway</body></html>',
    'a gateway before the server got no proper answer from it',
  ],
  ['a short text', 503, 'no backend', 'the server is currently unable to handle the request ("no backend")'],
  ['the status again', 404, '404 page not found\n', 'the server could not find the requested resource'],
  ['nothing', 418, '', 'the server answered with status 418'],
])('an answer without a Status: %s', async (_name, code, body, message) => {
  server.on(`GET ${path}`, { status: code, body })
  expect(await failure(client.get(ref))).toMatchObject({ code, message })
})

test('a login page in place of an object', async () => {
  server.on(`GET ${path}`, { headers: { 'Content-Type': 'text/html' }, body: '<html>log in</html>' })
  const { message } = await failure(client.get(ref))
  expect(message).toBe(`GET ${path} was not answered with JSON: is ${server.url} a Kubernetes API server?`)
})

test('a server below a path, as behind Rancher', async () => {
  server.on('GET /k8s/clusters/c-1/version', { body: { major: '1' } })
  const below = clientFor(`${server.url}/k8s/clusters/c-1/`)
  expect((await below.raw('/version')).status).toBe(200)
})

test('a WebSocket library gets the same connection and credentials', async () => {
  server.on('GET /proxy/exec', {})
  const user = { token: 't', as: 'bob' }
  const { url, headers, agent } = await clientFor(server.url, { user }).at('/proxy').webSocket('/exec')
  expect(url).toBe(`${server.url.replace('https', 'wss')}/proxy/exec`)
  await new Promise((resolve, reject) => {
    https.get(url.replace('wss', 'https'), { agent, headers }, resolve).on('error', reject)
  })
  expect(last()?.headers).toMatchObject({ authorization: 'Bearer t', 'impersonate-user': 'bob' })
})
