import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { membersForCompletion } from '../../../src/topology/complete.ts'
import { findFleet, findPlane } from '../../../src/topology/find.ts'
import { authority, base64, type FakeApiServer, status } from '../kube/fake-apiserver.ts'
import { contextsFor, fakeCluster, fakeHost, fakePlane, lease } from './fakes.ts'
import { cluster } from './probes.ts'

const servers: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()))
})
async function up(server: Promise<FakeApiServer>): Promise<FakeApiServer> {
  servers.push(await server)
  return server
}

/** Takes connections and never says a word: a firewall that eats packets looks like this once TCP is through. */
async function silentServer(): Promise<string> {
  const server = createServer(socket => servers.push({ close: () => socket.destroy() }))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  const address = server.address()
  return `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

/** Host, plane, one member with a context and one without. */
async function federation() {
  const [hub, karmada, edge] = await Promise.all([
    up(fakeHost('uid-hub')),
    up(fakePlane('uid-karmada', [cluster('member1', 'Pull', 'edge'), cluster('member2')])),
    up(fakeCluster('uid-edge')),
  ])
  return { hub, karmada, edge }
}

const table = async (contexts: Parameters<typeof findFleet>[0], options?: Parameters<typeof findFleet>[1]) =>
  (await findFleet(contexts, options)).rows.map(({ context = '-', role, cluster = '-', access, note }) =>
    [context, role, cluster, access, note].join(' | '),
  )

test('a fleet read from its servers', async () => {
  const { hub, karmada, edge } = await federation()
  expect(await table(contextsFor({ karmada: karmada.url, hub: hub.url, edge: edge.url }))).toEqual([
    'hub | host | - | ok | karmada-system, by karmadactl v1.18.2',
    'karmada | plane | karmada | ok | 2 members: 2 pull',
    'edge | member | member1 | ok | ',
    '- | member | member2 | no context | hub-only delivery will be used',
  ])
})

test('few requests, over few connections', async () => {
  const { hub, karmada, edge } = await federation()
  await findFleet(contextsFor({ karmada: karmada.url, hub: hub.url, edge: edge.url }))
  expect([hub, karmada, edge].map(({ seen }) => seen.length)).toEqual([6, 6, 4])
  // One to a server that answers at once.
  for (const { accepted } of [hub, karmada, edge]) expect(accepted()).toBeLessThanOrEqual(3)
})

test('a server that is slow to answer gets its requests side by side', async () => {
  const edge = await up(fakeCluster('uid-edge'))
  const others = new Promise<void>(resolve => {
    edge.on('GET /version', () => {
      resolve()
      return { body: { gitVersion: 'v1.35.4' } }
    })
  })
  edge.on('GET /apis', response => {
    others.then(() => response.end(JSON.stringify({ groups: [] })))
    return undefined
  })
  expect(await table(contextsFor({ edge: edge.url }))).toEqual(['edge | plain | - | ok | '])
})

test('contexts of one cluster and user are asked once', async () => {
  const edge = await up(fakeCluster('uid-edge'))
  const { kubeconfig, clientOf } = contextsFor({ edge: edge.url })
  const contexts = new Map([
    ...kubeconfig.contexts,
    ['edge-dev', { name: 'edge-dev', cluster: 'edge', user: 'alice', namespace: 'dev' }],
  ])
  const rows = await table({ kubeconfig: { ...kubeconfig, contexts }, clientOf })
  expect(rows).toEqual(['edge | plain | - | ok | ', 'edge-dev | plain | - | ok | '])
  expect(edge.seen).toHaveLength(4)
})

describe('a context that cannot be reached costs its own row', () => {
  test.for<[string, () => Promise<string>, RegExp]>([
    [
      'refused',
      async () => 'https://127.0.0.1:9',
      /^x \| unreachable \| - \| refused \| dial 127\.0\.0\.1:9: connection refused$/,
    ],
    [
      'not a cluster',
      async () => (await up(fakeCluster('x'))).url.replace('https', 'http'),
      /^x \| unreachable \| - \| error \| /,
    ],
  ])('%s', async ([, start, expected]) => {
    const edge = await up(fakeCluster('uid-edge'))
    const rows = await table(contextsFor({ x: await start(), edge: edge.url }))
    expect(rows[0]).toBe('edge | plain | - | ok | ')
    expect(rows[1]).toMatch(expected)
  })

  test('silent', async () => {
    const [row] = await table(contextsFor({ x: await silentServer() }), { timeoutMs: 100 })
    expect(row).toMatch(/^x \| unreachable \| - \| timeout \| .*127\.0\.0\.1:\d+.*: no answer in 0\.1s$/)
  })

  test('a cluster that the kubeconfig lacks', async () => {
    const { kubeconfig, clientOf } = contextsFor({ x: 'https://127.0.0.1:9' })
    const broken = { ...kubeconfig, clusters: new Map() }
    const { createClient } = await import('../../../src/kube/client.ts')
    const rows = await table({ kubeconfig: broken, clientOf: name => createClient(broken, name, { env: {} }) })
    expect(rows).toEqual(['x | unreachable | - | error | cluster "x" of context "x" is not in the kubeconfig'])
    expect(clientOf('x').context).toBe('x')
  })

  test('credentials that are not accepted', async () => {
    const edge = await up(fakeCluster('uid-edge'))
    for (const path of [
      '/apis',
      '/version',
      '/api/v1/pods',
      '/api/v1/namespaces/kube-system',
      '/api/v1/namespaces/karmada-system/pods',
    ])
      edge.on(`GET ${path}`, status(401, 'Unauthorized', 'Unauthorized'))
    expect(await table(contextsFor({ edge: edge.url }))).toEqual([
      'edge | unreachable | - | unauthorized | the server does not accept the credentials: Unauthorized',
    ])
  })
})

describe('what this user may not read', () => {
  const forbidden = status(403, 'Forbidden', 'pods is forbidden: no')

  test('leaves a plain cluster in doubt, and says so', async () => {
    const edge = await up(fakeCluster('uid-edge'))
    edge.on('GET /api/v1/pods', forbidden)
    edge.on('GET /api/v1/namespaces/karmada-system/pods', forbidden)
    edge.on('GET /api/v1/namespaces/kube-system', forbidden)
    const [row] = await table(contextsFor({ edge: edge.url }))
    expect(row).toBe('edge | plain | - | partial | may not read namespace kube-system; may not list pods')
  })

  test('an admin of Karmada’s namespace alone still sees a host', async () => {
    const { hub, karmada } = await federation()
    const pods = { ...hub }
    const answer = await (await fetchPods(hub)).json()
    pods.on('GET /api/v1/pods', forbidden)
    pods.on('GET /api/v1/namespaces/karmada-system/pods', { body: answer })
    expect((await table(contextsFor({ karmada: karmada.url, hub: hub.url })))[0]).toBe(
      'hub | host | - | ok | karmada-system, by karmadactl v1.18.2',
    )
  })

  test('members stay unknown where clusters may not be listed', async () => {
    const { hub, karmada } = await federation()
    karmada.on('GET /apis/cluster.karmada.io/v1alpha1/clusters', status(403, 'Forbidden', 'no'))
    expect((await table(contextsFor({ karmada: karmada.url, hub: hub.url })))[1]).toBe(
      'karmada | plane | karmada | partial | may not list clusters',
    )
  })

  test('without leases the certificate tells the host', async () => {
    const { hub, karmada } = await federation()
    karmada.on('GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases', forbidden)
    hub.on('GET /api/v1/namespaces/karmada-system/secrets/karmada-cert', {
      body: { data: { 'ca.crt': base64(authority.certificate), 'ca.key': base64('key') } },
    })
    const { planes } = await findFleet(contextsFor({ karmada: karmada.url, hub: hub.url }))
    expect(planes[0]?.hosts.map(({ contexts, evidence }) => [contexts, evidence])).toEqual([[['hub'], 'certificate']])
  })

  test('without leases and secrets the address of a node does', async () => {
    const { hub, karmada } = await federation()
    karmada.on('GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases', forbidden)
    hub.on('GET /api/v1/namespaces/karmada-system/secrets/karmada-cert', forbidden)
    const services = {
      body: {
        items: [
          {
            metadata: { name: 's', namespace: 'karmada-system' },
            spec: { selector: { app: 'karmada-apiserver' }, ports: [{ port: 5443, nodePort: karmada.port }] },
          },
        ],
      },
    }
    hub.on('GET /api/v1/namespaces/karmada-system/services', services)
    hub.on('GET /api/v1/nodes', {
      body: {
        items: [{ metadata: { name: 'n' }, status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] } }],
      },
    })
    const { planes } = await findFleet(contextsFor({ karmada: karmada.url, hub: hub.url }))
    expect(planes[0]?.hosts.map(({ contexts, evidence }) => [contexts, evidence])).toEqual([[['hub'], 'address']])
  })

  test('no proof, no host: the one candidate is named', async () => {
    const { hub, karmada } = await federation()
    karmada.on('GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases', forbidden)
    const error = await findPlane(contextsFor({ karmada: karmada.url, hub: hub.url }), {}).catch(
      (error: UserError) => error,
    )
    expect(error).toBeInstanceOf(UserError)
    expect((error as UserError).hint).toBe('if it is hub, say so: --host-context NAME')
  })
})

const fetchPods = async (server: FakeApiServer) => {
  const client = contextsFor({ x: server.url }).clientOf('x')
  const { text } = await client.raw('/api/v1/pods')
  return new Response(text)
}

describe('findPlane', () => {
  test('does not wait for a context that cannot matter', async () => {
    const { hub, karmada } = await federation()
    const plane = await findPlane(
      contextsFor({ karmada: karmada.url, hub: hub.url, silent: await silentServer() }),
      {},
      { timeoutMs: 600_000 },
    )
    expect([plane.context, plane.host.context, plane.members.map(({ name, context }) => [name, context])]).toEqual([
      'karmada',
      'hub',
      [
        ['member1', undefined],
        ['member2', undefined],
      ],
    ])
  })

  test.for<[string, Parameters<typeof findPlane>[1], string]>([
    [
      'a host instead of the plane',
      { context: 'hub' },
      'context hub is not a Karmada control plane, but a host of one',
    ],
    [
      'a plane that is away',
      { context: 'away' },
      'context away cannot be reached: dial 127.0.0.1:9: connection refused',
    ],
    [
      'a host that is away',
      { hostContext: 'away' },
      'context away cannot be reached: dial 127.0.0.1:9: connection refused',
    ],
  ])('does not wait for more before it says: %s', async ([, selection, expected]) => {
    const { hub, karmada } = await federation()
    const contexts = contextsFor({
      karmada: karmada.url,
      hub: hub.url,
      away: 'https://127.0.0.1:9',
      silent: await silentServer(),
    })
    await expect(findPlane(contexts, selection, { timeoutMs: 600_000 })).rejects.toThrow(expected)
  })

  test('waits for all where a second host may be among those that are late', async () => {
    const { hub, karmada } = await federation()
    karmada.on('GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases', {
      body: { items: [lease('karmada-apiserver-5d8-x', 0), lease('karmada-apiserver-elsewhere', 5)] },
    })
    const late = await up(fakeCluster('uid-late'))
    const release = Promise.withResolvers<void>()
    late.on('GET /version', response => {
      release.promise.then(() => response.end(JSON.stringify({ gitVersion: 'v1.35.4' })))
      return undefined
    })
    const order: string[] = []
    const contexts = contextsFor({ karmada: karmada.url, hub: hub.url, late: late.url })
    await findPlane(contexts, {}, { onProbe: ({ context }) => order.push(context) === 2 && release.resolve() })
    expect(order[2]).toBe('late')
  })

  test('asks no more than the contexts that were named', async () => {
    const { hub, karmada, edge } = await federation()
    const contexts = contextsFor({ karmada: karmada.url, hub: hub.url, edge: edge.url })
    await findPlane(contexts, { context: 'karmada', hostContext: 'hub' })
    expect(edge.seen).toEqual([])
  })

  test('finds the members’ contexts when asked to', async () => {
    const { hub, karmada, edge } = await federation()
    const contexts = contextsFor({ edge: edge.url, karmada: karmada.url, hub: hub.url })
    const { members } = await findPlane(contexts, {}, { memberContexts: true })
    expect(members.map(({ name, context, client }) => [name, context, client?.context])).toEqual([
      ['member1', 'edge', 'edge'],
      ['member2', undefined, undefined],
    ])
  })

  test('a context that does not exist is said before anything is asked', async () => {
    const { hub, karmada } = await federation()
    const contexts = contextsFor({ karmada: karmada.url, hub: hub.url })
    await expect(findPlane(contexts, { context: 'karmda' })).rejects.toMatchObject({
      message: 'context "karmda" does not exist',
      hint: 'did you mean karmada?',
    })
    expect([...hub.seen, ...karmada.seen]).toEqual([])
  })

  test('ends with the signal', async () => {
    const stop = new AbortController()
    const found = findPlane(
      contextsFor({ silent: await silentServer() }),
      {},
      { signal: stop.signal, timeoutMs: 600_000 },
    )
    stop.abort(new Error('ctrl-c'))
    await expect(found).rejects.toThrow('ctrl-c')
  })
})

describe('completion of members', () => {
  test('from whichever context answers', async () => {
    const { hub, karmada } = await federation()
    const contexts = contextsFor({ hub: hub.url, karmada: karmada.url, silent: await silentServer() })
    expect((await membersForCompletion(contexts, undefined, 60_000)).map(({ metadata }) => metadata.name)).toEqual([
      'member1',
      'member2',
    ])
  })
  test('an empty plane that answers first does not count', async () => {
    const { karmada } = await federation()
    const empty = await up(fakePlane('uid-empty', []))
    karmada.on('GET /apis/cluster.karmada.io/v1alpha1/clusters', response => {
      setTimeout(() => response.end(JSON.stringify({ metadata: {}, items: [cluster('member1')] })), 100)
      return undefined
    })
    const contexts = contextsFor({ empty: empty.url, karmada: karmada.url })
    const found = await membersForCompletion(contexts, undefined, 60_000)
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['member1'])
  })
  test('nothing, and no error, where none does', async () => {
    expect(await membersForCompletion(contextsFor({ x: 'https://127.0.0.1:9' }), undefined)).toEqual([])
    expect(await membersForCompletion(contextsFor({ x: 'https://127.0.0.1:9' }), 'nope')).toEqual([])
  })
})
