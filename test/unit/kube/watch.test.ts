import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StatusError } from '../../../src/kube/errors.ts'
import type { KubeClient, KubeObject, WatchEvent } from '../../../src/kube/types.ts'
import {
  type Answer,
  clientFor,
  type FakeApiServer,
  failure,
  type Seen,
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
afterEach(() => server.close())

const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'n', labelSelector: 'a=b' }
const path = '/api/v1/namespaces/n/pods'
const pod = (name: string, resourceVersion: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, resourceVersion },
})
const list = (version: string, ...items: object[]) => ({ body: { items, metadata: { resourceVersion: version } } })
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`

/** Lists answer from one script, watches from another; the last of each stays. A watch script writes to an open response. */
function serve(lists: Answer[], watches: ((response: ServerResponse) => void)[]) {
  server.on(`GET ${path}`, (response: ServerResponse, request: Seen) => {
    if (!request.query['watch']) {
      const answer = (lists.length > 1 ? lists.shift() : lists[0]) ?? {}
      return typeof answer === 'function' ? answer(response, request) : answer
    }
    response.writeHead(200, { 'Content-Type': 'application/json' })
    const script = watches.length > 1 ? watches.shift() : watches[0]
    script?.(response)
    return undefined
  })
}

/** Short words for the first `count` events. */
async function events(count: number, signal?: AbortSignal): Promise<string[]> {
  const words: string[] = []
  for await (const event of client.watch<KubeObject>(ref, { signal })) {
    words.push(word(event))
    if (words.length === count) break
  }
  return words
}

const word = (event: WatchEvent<KubeObject>) =>
  event.type === 'SYNC' ? `SYNC ${event.items.map(named).join()}` : `${event.type} ${named(event.object)}`
const named = ({ metadata }: KubeObject) => metadata.name
const watches = () => server.seen.filter(({ query }) => query['watch'])
const lists = () => server.seen.filter(({ query }) => !query['watch'])

test('what is there, then every change, from where the list ended', async () => {
  serve(
    [list('5', pod('a', '3'))],
    [
      response => {
        const text = line('ADDED', pod('b-ü', '6')) + line('MODIFIED', pod('a', '7')) + line('DELETED', pod('a', '8'))
        // In pieces that split lines and characters.
        const bytes = Buffer.from(text)
        const cut = bytes.indexOf(0xc3) + 1
        response.write(bytes.subarray(0, cut))
        setTimeout(() => response.write(bytes.subarray(cut)), 10)
      },
    ],
  )
  expect(await events(4)).toEqual(['SYNC a', 'ADDED b-ü', 'MODIFIED a', 'DELETED a'])
  expect(watches()[0]?.query).toMatchObject({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '5',
    labelSelector: 'a=b',
  })
  expect(Number(watches()[0]?.query['timeoutSeconds'])).toBeGreaterThanOrEqual(240)
  await soon(() => server.open()).toBe(1)
})

test('a watch that ends goes on where it was, bookmarks count', async () => {
  serve(
    [list('5')],
    [
      response => response.end(line('ADDED', pod('a', '6')) + line('BOOKMARK', pod('', '9'))),
      response => response.write(line('ADDED', pod('b', '10'))),
    ],
  )
  expect(await events(3)).toEqual(['SYNC ', 'ADDED a', 'ADDED b'])
  expect(watches().map(({ query }) => query['resourceVersion'])).toEqual(['5', '9'])
  expect(lists()).toHaveLength(1)
})

test('a connection that is cut off goes on where it was; half a line is not an event', async () => {
  serve(
    [list('5')],
    [
      response => {
        response.write(`${line('ADDED', pod('a', '6'))}{"type":"MOD`)
        setTimeout(() => server.cut(), 20)
      },
      response => response.write(line('ADDED', pod('b', '7'))),
    ],
  )
  expect(await events(3)).toEqual(['SYNC ', 'ADDED a', 'ADDED b'])
  expect(watches()[1]?.query['resourceVersion']).toBe('6')
})

test.each<[string, (response: ServerResponse) => void]>([
  ['an ERROR event', response => response.end(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }))],
])('410 as %s lists anew', async (_name, gone) => {
  serve(
    [list('5', pod('a', '1')), list('20', pod('c', '19'))],
    [gone, response => response.write(line('ADDED', pod('d', '21')))],
  )
  expect(await events(3)).toEqual(['SYNC a', 'SYNC c', 'ADDED d'])
  expect(watches()[1]?.query['resourceVersion']).toBe('20')
})

test('410 as the answer lists anew', async () => {
  const answers: Answer[] = [
    list('5', pod('a', '1')),
    status(410, 'Expired', 'too old resource version'),
    list('20', pod('b', '1')),
  ]
  server.on(`GET ${path}`, ...answers, () => undefined)
  expect(await events(2)).toEqual(['SYNC a', 'SYNC b'])
})

test('a server that is away for a while', async () => {
  serve([list('5')], [response => response.end(line('ADDED', pod('a', '6')))])
  const words: string[] = []
  const { port } = server
  for await (const event of client.watch<KubeObject>(ref)) {
    words.push(word(event))
    if (words.length === 2) {
      await server.close()
      setTimeout(async () => {
        server = await startFakeApiServer({ port })
        serve([list('5')], [response => response.write(line('ADDED', pod('b', '7')))])
      }, 300)
    }
    if (words.length === 3) break
  }
  expect(words).toEqual(['SYNC ', 'ADDED a', 'ADDED b'])
})

test('a list that is refused ends the watch, and so does a later refusal', async () => {
  server.on(`GET ${path}`, status(403, 'Forbidden', 'may not list'))
  expect((await failure<StatusError>(events(1))).message).toBe('may not list')
  server.on(`GET ${path}`, list('5'), status(403, 'Forbidden', 'may not watch'))
  expect((await failure<StatusError>(events(2))).message).toBe('may not watch')
})

test('a server that is away from the start is an error at once', async () => {
  await server.close()
  expect((await failure(events(1))).message).toContain('was refused')
})

test('a signal ends it in the middle of silence, with its reason, and leaves no connection behind', async () => {
  serve([list('5')], [() => undefined])
  const controller = new AbortController()
  const ended = failure(events(9, controller.signal))
  await soon(() => watches().length).toBe(1)
  controller.abort(new Error('stop'))
  expect((await ended).message).toBe('stop')
  client.close()
  await soon(() => server.open()).toBe(0)
})
