import { createServer as createTcp } from 'node:net'
import { expect, test } from 'vitest'
import { code, EtcdError, UnreachableError } from '../../../../src/etcd/client/errors.ts'
import { createEtcdClient } from '../../../../src/etcd/client/gateway.ts'
import { prefixEnd } from '../../../../src/etcd/client/prefix.ts'
import type { EtcdClient } from '../../../../src/etcd/client/types.ts'
import { always, identities, listening, serverCertificates, startGateway } from './fake-member.ts'

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it worked')
    },
    (error: unknown) => error,
  )

test('64 bits stay whole, and what is left out is zero', async () => {
  await using member = await startGateway(
    always(200, {
      header: { cluster_id: '1', member_id: '12377810151648631900', revision: '9007199254740993', raft_term: '2' },
      version: '3.6.16',
      dbSize: '20480',
      leader: '1149726137171970663',
      raftIndex: '8',
    }),
  )
  expect(await member.client().status()).toEqual({
    id: 12377810151648631900n,
    version: '3.6.16',
    storageVersion: '',
    leader: 1149726137171970663n,
    isLearner: false,
    dbSize: 20480,
    dbSizeInUse: 0,
    dbSizeQuota: 0,
    raftIndex: 8n,
    raftTerm: 0n,
    raftAppliedIndex: 0n,
    revision: 9007199254740993n,
    errors: [],
  })
})

/** What each call sends, in etcd's own words: a misspelt field is silently ignored by etcd. */
const sent: [string, (client: EtcdClient) => Promise<unknown>, string, object][] = [
  ['members', c => c.members({ linearizable: true }), '/v3/cluster/member/list', { linearizable: true }],
  [
    'addMember',
    c => c.addMember('https://10.0.0.4:2380', { learner: true }),
    '/v3/cluster/member/add',
    { peerURLs: ['https://10.0.0.4:2380'], isLearner: true },
  ],
  ['removeMember', c => c.removeMember(2n ** 63n), '/v3/cluster/member/remove', { ID: '9223372036854775808' }],
  ['promoteMember', c => c.promoteMember(5n), '/v3/cluster/member/promote', { ID: '5' }],
  ['moveLeader', c => c.moveLeader(5n), '/v3/maintenance/transfer-leadership', { targetID: '5' }],
  ['one key', c => c.range({ key: 'a', limit: 1 }), '/v3/kv/range', { key: 'YQ==', limit: '1' }],
  [
    'all keys',
    c => c.range({ key: '', rangeEnd: prefixEnd(''), keysOnly: true, serializable: true, revision: 7n }),
    '/v3/kv/range',
    { key: 'AA==', range_end: 'AA==', keys_only: true, serializable: true, revision: '7' },
  ],
  ['put', c => c.put('a', 'b', { lease: 3n }), '/v3/kv/put', { key: 'YQ==', value: 'Yg==', lease: '3' }],
  [
    'putNew',
    c => c.putNew('a', 'b'),
    '/v3/kv/txn',
    {
      compare: [{ target: 'CREATE', result: 'EQUAL', key: 'YQ==', create_revision: '0' }],
      success: [{ request_put: { key: 'YQ==', value: 'Yg==' } }],
    },
  ],
  ['deleteRange', c => c.deleteRange('a', 'b'), '/v3/kv/deleterange', { key: 'YQ==', range_end: 'Yg==' }],
  ['compact', c => c.compact(7n), '/v3/kv/compaction', { revision: '7', physical: true }],
  ['grantLease', c => c.grantLease(60), '/v3/lease/grant', { TTL: '60' }],
  [
    'disarm',
    c => c.disarm({ member: 5n, alarm: 'NOSPACE' }),
    '/v3/maintenance/alarm',
    { action: 'DEACTIVATE', memberID: '5', alarm: 'NOSPACE' },
  ],
  ['hashKv', c => c.hashKv(7n), '/v3/maintenance/hashkv', { revision: '7' }],
]
test.each(sent)('%s', async (_, call, path, body) => {
  const seen: { path: string | undefined; body: string }[] = []
  await using member = await startGateway((request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      seen.push({ path: request.url, body: text })
      response.end('{}')
    })
  })
  await call(member.client())
  expect(seen.map(each => ({ ...each, body: JSON.parse(each.body) }))).toEqual([{ path, body }])
})

const bodies: [string, number, string | object, number, string][] = [
  ['3.6', 400, { code: 9, message: 'etcdserver: unhealthy cluster' }, 9, 'etcdserver: unhealthy cluster'],
  [
    '3.5',
    404,
    { error: 'etcdserver: member not found', code: 5, message: 'etcdserver: member not found' },
    5,
    'etcdserver: member not found',
  ],
  ['3.5 without message', 503, { error: 'etcdserver: no leader', code: 14 }, 14, 'etcdserver: no leader'],
  [
    'in a stream of 3.5',
    200,
    { error: { grpc_code: 14, http_code: 503, message: 'etcdserver: no leader' } },
    14,
    'etcdserver: no leader',
  ],
  [
    'plain text',
    400,
    'CommonName of client sending a request against gateway will be ignored and not used as expected\n',
    code.invalidArgument,
    'CommonName of client sending a request against gateway will be ignored and not used as expected',
  ],
  ["a proxy's page", 502, '<html><h1>Bad  Gateway</h1></html>', code.unavailable, 'Bad Gateway'],
  ['nothing', 500, '', code.unknown, 'HTTP 500'],
]
test.each(bodies)('error body: %s', async (_, status, body, expected, said) => {
  await using member = await startGateway(always(status, body))
  const error = await failureOf(member.client().keepLease(1n))
  expect(error).toBeInstanceOf(EtcdError)
  expect(error).toMatchObject({ code: expected, said, message: `${member.endpoint}: ${said}` })
})

test('an answer that is no JSON is an error, not a crash', async () => {
  await using member = await startGateway(always(200, 'hello'))
  expect(await failureOf(member.client().status())).toMatchObject({ name: 'EtcdError', said: 'hello' })
})

test('a revision that is compacted already is compacted; one of the future is not', async () => {
  const answer = (message: string) => startGateway(always(400, { code: 11, message }))
  await using done = await answer('etcdserver: mvcc: required revision has been compacted')
  await done.client().compact(3n)
  await using future = await answer('etcdserver: mvcc: required revision is a future revision')
  expect(await failureOf(future.client().compact(3n))).toMatchObject({ code: code.outOfRange })
})

test('a lease that has run out is no error', async () => {
  await using member = await startGateway(always(200, '{"result":{"ID":"7"}}\n'))
  expect(await member.client().keepLease(7n)).toBe(false)
})

test('/readyz tells which checks failed', async () => {
  const body =
    '[+]data_corruption ok\n[+]serializable_read ok\n[-]linearizable_read failed: no leader\n[-]non_learner failed: is learner\n'
  await using member = await startGateway(always(503, body))
  const failed = ['linearizable_read failed: no leader', 'non_learner failed: is learner']
  expect(await member.client().readiness()).toEqual({ ready: false, failed })
})

const tlsFaults: [string, keyof typeof serverCertificates, keyof typeof identities, RegExp][] = [
  ['expired', 'expired', 'good', /its certificate has expired$/],
  ['not for this address', 'elsewhere', 'good', /its certificate is for 10\.0\.0\.9, not for 127\.0\.0\.1$/],
  [
    'foreign server',
    'foreign',
    'good',
    /its certificate was signed by a certificate authority that is not the one of this cluster$/,
  ],
]
test.each(tlsFaults)('TLS: %s', async (_, certificate, identity, words) => {
  await using member = await startGateway(always(200, {}), serverCertificates[certificate])
  const error = await failureOf(member.client(identities[identity]).status())
  expect(error).toBeInstanceOf(UnreachableError)
  expect(error).toMatchObject({ failure: 'tls', message: expect.stringMatching(words) })
})

test('a client certificate that is missing or foreign is refused', async () => {
  await using member = await startGateway(always(200, {}))
  for (const identity of [identities.none, identities.foreign]) {
    expect(await failureOf(member.client(identity).status())).toBeInstanceOf(UnreachableError)
  }
})

test('after a certificate was refused, ours is read anew', async () => {
  await using member = await startGateway(always(200, {}))
  const found = [{ ...identities.good, ca: identities.foreign.certificate }, identities.good]
  const client = createEtcdClient(member.endpoint, async () => found.shift() ?? identities.good)
  expect(await failureOf(client.status())).toMatchObject({ failure: 'tls' })
  await client.status()
  client.close()
})

test('plain http', async () => {
  await using member = await listening(
    createTcp(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'https',
  )
  expect(await failureOf(member.client().status())).toMatchObject({
    failure: 'tls',
    message: expect.stringContaining('plain http'),
  })
})

test('nobody listens, or no such host', async () => {
  const client = (endpoint: string) => createEtcdClient(endpoint, async () => identities.good)
  const gone = await listening(createTcp(), 'https')
  await gone[Symbol.asyncDispose]()
  expect(await failureOf(client(gone.endpoint).status())).toMatchObject({
    failure: 'refused',
    message: `${gone.endpoint}: connection refused`,
  })
  expect(await failureOf(client('https://nowhere.invalid:2379').status())).toMatchObject({ failure: 'name' })
})

test('a member that is paused takes the connection and says nothing', async () => {
  await using member = await listening(
    createTcp(() => undefined),
    'https',
  )
  expect(await failureOf(member.client().status({ timeoutMs: 1000 }))).toMatchObject({
    failure: 'timeout',
    message: expect.stringContaining('it took the connection and said nothing in 1s'),
  })
})

test('an answer that does not come, or does not end', async () => {
  await using silent = await startGateway(() => undefined)
  expect(await failureOf(silent.client().status({ timeoutMs: 100 }))).toMatchObject({ failure: 'timeout' })
  await using endless = await startGateway((_, response) => void response.writeHead(200).write('{"leader":'))
  expect(await failureOf(endless.client().status({ timeoutMs: 100 }))).toMatchObject({ failure: 'timeout' })
})

test('an answer that breaks off', async () => {
  await using member = await startGateway((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"leader":')
    setTimeout(() => response.destroy(), 10)
  })
  expect(await failureOf(member.client().status())).toMatchObject({ failure: 'reset' })
})

test('the signal ends a call with its own reason', async () => {
  await using member = await startGateway(() => undefined)
  const controller = new AbortController()
  const asked = failureOf(member.client().put('a', 'b', { signal: controller.signal }))
  setTimeout(() => controller.abort(new Error('Ctrl-C')), 20)
  expect(await asked).toMatchObject({ message: 'Ctrl-C' })
  const done = AbortSignal.abort(new Error('before'))
  expect(await failureOf(member.client(identities.good, { signal: done }).status())).toMatchObject({
    message: 'before',
  })
})

test('connections are kept, and a kept one that the member has closed is no failure of a read', async () => {
  let requests = 0
  await using member = await startGateway((request, response) => {
    requests++
    // As a member that closes the connection just as the request arrives.
    if (requests === 3) return void request.socket.destroy()
    response.end('{}')
  })
  const client = member.client()
  await client.status()
  await client.status()
  expect(requests).toBe(2)
  await client.status()
  expect(requests).toBe(4)
})
