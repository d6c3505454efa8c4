import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { podTrouble } from '../../../src/kube/pod-trouble.ts'
import { rolledOut } from '../../../src/kube/rollout.ts'
import type { KubeClient, KubeObject } from '../../../src/kube/types.ts'
import { waitFor, waitForGone, waitForList } from '../../../src/kube/wait.ts'
import {
  type Answer,
  clientFor,
  type FakeApiServer,
  failure,
  soon,
  startFakeApiServer,
  status,
} from './fake-apiserver.ts'

let server: FakeApiServer
let client: KubeClient
beforeEach(async () => {
  server = await startFakeApiServer()
  client = clientFor(server.url)
})
afterEach(() => {
  vi.useRealTimers()
  return server.close()
})

const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'n' }
const path = '/api/v1/namespaces/n/configmaps'
type ConfigMap = KubeObject & { data?: Record<string, string> }
const object = (ready: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'n', resourceVersion: '1' },
  data: { ready },
})
const list = (...items: object[]) => ({ body: { items, metadata: { resourceVersion: '5' } } })
const changes =
  (...texts: [type: string, object: object][]): Answer =>
  response => {
    response.writeHead(200)
    for (const [type, object] of texts) response.write(`${JSON.stringify({ type, object })}\n`)
    return undefined
  }
const silent: Answer = changes()
const isReady = (map: ConfigMap | undefined) =>
  !map ? 'it is not there' : map.data?.['ready'] === 'yes' || 'not ready'

test('resolves with the object; what is missing is said once per change', async () => {
  server.on(
    `GET ${path}`,
    list(),
    changes(['ADDED', object('no')], ['MODIFIED', object('no')], ['MODIFIED', object('yes')]),
  )
  const said: string[] = []
  const found = await waitFor(client, ref, isReady, { timeoutMs: 5000, onProgress: text => said.push(text) })
  expect(found.data).toEqual({ ready: 'yes' })
  expect(said).toEqual(['it is not there', 'not ready'])
  expect(server.seen[0]?.query['fieldSelector']).toBe('metadata.name=a')
  client.close()
  await soon(() => server.open()).toBe(0)
})

test('an object that is as it should be costs one request', async () => {
  server.on(`GET ${path}`, list(object('yes')))
  await waitFor(client, ref, isReady, { timeoutMs: 5000 })
  expect(server.seen).toHaveLength(1)
})

/** Lets the time of a wait run out, once it has seen what there is to see. */
async function expired(waiting: Promise<unknown>): Promise<Error> {
  const error = failure(waiting)
  await soon(() => server.seen.length).toBe(2)
  vi.advanceTimersByTime(90_000)
  vi.useRealTimers()
  return error
}

test('when the time is over: what was waited for, and what was missing last', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  server.on(`GET ${path}`, list(object('no')), silent)
  const error = await expired(waitFor(client, ref, isReady, { timeoutMs: 90_000 }))
  expect(error).toBeInstanceOf(UserError)
  expect(error.message).toBe('timed out after 1m30s waiting for ConfigMap n/a: not ready')
})

test('a signal ends it with its reason', async () => {
  server.on(`GET ${path}`, list(), silent)
  const controller = new AbortController()
  const waiting = failure(waitFor(client, ref, isReady, { timeoutMs: 5000, signal: controller.signal }))
  await soon(() => server.seen.length).toBe(2)
  controller.abort(new Error('stop'))
  expect((await waiting).message).toBe('stop')
})

test('a kind that is not served yet, and a server that is busy, are waited for; a refusal is not', async () => {
  const said: string[] = []
  server.on(
    `GET ${path}`,
    status(404, 'NotFound', 'the server could not find the requested resource'),
    status(503, 'ServiceUnavailable', 'starting'),
    list(object('yes')),
  )
  await waitFor(client, ref, isReady, { timeoutMs: 9000, onProgress: text => said.push(text) })
  expect(said).toEqual(['it is not there', 'starting'])
  server.on(`GET ${path}`, status(403, 'Forbidden', 'no'))
  expect((await failure(waitFor(client, ref, isReady, { timeoutMs: 5000 }))).message).toBe('no')
})

test('a check may give up', async () => {
  server.on(`GET ${path}`, list(object('no')))
  const check = () => {
    throw new UserError('hopeless')
  }
  expect((await failure(waitFor(client, ref, check, { timeoutMs: 5000 }))).message).toBe('hopeless')
})

test('until it is gone', async () => {
  server.on(`GET ${path}`, list(object('no')), changes(['DELETED', object('no')]))
  const said: string[] = []
  await waitForGone(client, ref, { timeoutMs: 5000, onProgress: text => said.push(text) })
  expect(said).toEqual(['ConfigMap n/a is still there'])
})

test('a collection', async () => {
  server.on(`GET ${path}`, list(object('yes')), changes(['ADDED', { ...object('yes'), metadata: { name: 'b' } }]))
  const two = (maps: KubeObject[]) => maps.length === 2 || `${maps.length} of 2`
  const maps = await waitForList(client, { ...ref, labelSelector: 'x=y' }, two, { timeoutMs: 5000 })
  expect(maps.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
})

test('a collection that stays too small', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  server.on(`GET ${path}`, list(), silent)
  const two = (maps: KubeObject[]) => maps.length === 2 || `${maps.length} of 2`
  const error = await expired(waitForList(client, { ...ref, labelSelector: 'x=y' }, two, { timeoutMs: 50_000 }))
  expect(error.message).toBe('timed out after 50s waiting for ConfigMap objects with x=y: 0 of 2')
})

const deployment = (status: object, generation = 2) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'n', generation },
  spec: { replicas: 2, selector: {}, template: {} },
  status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
})
test.each([
  [undefined, 'the Deployment is not there'],
  [deployment({}), true],
  [deployment({}, 3), 'the change is not yet seen by its controller'],
  [deployment({ updatedReplicas: 1 }), '1 of 2 replicas updated'],
  [deployment({ replicas: 3 }), '1 old replicas still running'],
  [deployment({ availableReplicas: undefined }), '0 of 2 replicas available'],
])('rolledOut %#', (given, answer) => {
  expect(rolledOut(given)).toBe(answer)
})

test('rolledOut gives up when Kubernetes does', () => {
  const condition = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late' }
  expect(() => rolledOut(deployment({ conditions: [condition] }))).toThrow(
    'Deployment n/d made no progress in time: late',
  )
})

test('podTrouble: state, last events and last log lines of what is not ready', async () => {
  const ready = (status: string) => [{ type: 'Ready', status }]
  const crashing = {
    name: 'main',
    ready: false,
    restartCount: 2,
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
  }
  server.on(
    'GET /api/v1/namespaces/n/pods',
    list(
      { metadata: { name: 'good', namespace: 'n' }, status: { conditions: ready('True') } },
      {
        metadata: { name: 'bad', namespace: 'n', uid: 'u' },
        status: { phase: 'Running', conditions: ready('False'), containerStatuses: [crashing] },
      },
      {
        metadata: { name: 'new', namespace: 'n' },
        status: {
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node' }],
        },
      },
    ),
  )
  server.on(
    'GET /api/v1/namespaces/n/events',
    list(
      { metadata: { name: '2' }, type: 'Warning', reason: 'BackOff', message: 'again\nand again', lastTimestamp: '2' },
      { metadata: { name: '1' }, type: 'Warning', reason: 'Failed', message: 'first', lastTimestamp: '1' },
      { metadata: { name: '3' }, type: 'Normal', reason: 'Pulled', message: 'fine', lastTimestamp: '3' },
    ),
    list(),
  )
  server.on('GET /api/v1/namespaces/n/pods/bad/log', { body: 'one\n\ntwo\n' })
  expect(await podTrouble(client, 'n', 'app=x')).toBe(`pod bad: main CrashLoopBackOff: back-off 10s
  event: Failed: first
  event: BackOff: again and again
  main: one
  main: two
pod new: Unschedulable: no node`)
  expect(server.seen.find(({ path }) => path.endsWith('/log'))?.query).toMatchObject({
    container: 'main',
    previous: 'true',
  })
})

test('podTrouble never throws', async () => {
  await server.close()
  expect(await podTrouble(client, 'n', 'app=x')).toBe('')
})
