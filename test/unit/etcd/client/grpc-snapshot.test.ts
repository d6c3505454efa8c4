import { constants, type ServerHttp2Stream } from 'node:http2'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createConnection } from '../../../../src/etcd/client/connection.ts'
import { EtcdError, UnreachableError } from '../../../../src/etcd/client/errors.ts'
import { createMessageReader } from '../../../../src/etcd/client/grpc-frames.ts'
import { grpcSnapshot } from '../../../../src/etcd/client/grpc-snapshot.ts'
import type { EtcdClient } from '../../../../src/etcd/client/types.ts'
import { identities, startGateway, startGrpc } from './fake-member.ts'

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)])

/** A SnapshotResponse as etcd sends it: header (1), remaining_bytes (2), blob (3), version (4). */
function message(blob: Uint8Array): Buffer {
  const header = [0x0a, 3, 0x08, 0x96, 0x01]
  const body = Buffer.concat([
    Buffer.from([...header, 0x10, ...varint(123_456), 0x1a, ...varint(blob.length)]),
    blob,
    Buffer.from([0x22, 5, ...Buffer.from('3.6.0')]),
  ])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

const blobs = [Buffer.alloc(40_000, 'a'), Buffer.alloc(0), Buffer.alloc(200, 'b'), Buffer.alloc(32, 'c')]
const stream = Buffer.concat(blobs.map(message))

test.each([1, 2, 3, 7, 4096, stream.length])('blobs come whole however the bytes are cut: %i at a time', size => {
  const reader = createMessageReader(3)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += size) pieces.push(...reader.pieces(stream.subarray(at, at + size)))
  expect(Buffer.concat(pieces).equals(Buffer.concat(blobs))).toBe(true)
  expect(reader.unfinished()).toBe(false)
})

test('a message that is cut off is noticed', () => {
  const reader = createMessageReader(3)
  reader.pieces(stream.subarray(0, -1))
  expect(reader.unfinished()).toBe(true)
})

test.each([
  ['compressed', Buffer.from([1, 0, 0, 0, 1, 0])],
  ['of a kind that etcd does not send', Buffer.from([0, 0, 0, 0, 9, 0x09, 1, 2, 3, 4, 5, 6, 7, 8])],
  ['a field longer than its message', Buffer.from([0, 0, 0, 0, 3, 0x1a, 0x7f, 1])],
])('%s: refused', (_, bytes) => {
  expect(() => createMessageReader(3).pieces(bytes)).toThrow()
})

async function readAll(snapshot: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of snapshot) pieces.push(piece)
  return Buffer.concat(pieces)
}
const failureOf = (client: EtcdClient, limits = {}) =>
  readAll(client.snapshot(limits)).then(
    () => {
      throw new Error('it worked')
    },
    (error: unknown) => error,
  )

const grpcHead = { ':status': 200, 'content-type': 'application/grpc' }
const withTrailers = (answer: ServerHttp2Stream, trailers: Record<string, string>) => {
  answer.respond(grpcHead, { waitForTrailers: true })
  answer.on('wantTrailers', () => answer.sendTrailers(trailers))
  return answer
}
const member = (answer: (stream: ServerHttp2Stream) => void) =>
  startGrpc(server => {
    server.on('stream', answer)
  })

test('over gRPC', async () => {
  await using etcd = await member(answer => withTrailers(answer, { 'grpc-status': '0' }).end(stream))
  expect((await readAll(etcd.client().snapshot())).equals(Buffer.concat(blobs))).toBe(true)
})

test('what etcd says instead, in a head alone or behind data', async () => {
  await using head = await member(answer =>
    answer.respond(
      { ...grpcHead, 'grpc-status': '14', 'grpc-message': 'etcdserver%3A no leader' },
      { endStream: true },
    ),
  )
  const said = await failureOf(head.client())
  expect(said).toBeInstanceOf(EtcdError)
  expect(said).toMatchObject({ code: 14, said: 'etcdserver: no leader' })
  await using behind = await member(answer =>
    withTrailers(answer, { 'grpc-status': '2', 'grpc-message': 'disk trouble' }).end(stream),
  )
  expect(await failureOf(behind.client())).toMatchObject({ code: 2, said: 'disk trouble' })
})

test('once something has come, it is not begun anew over the gateway', async () => {
  await using etcd = await member(answer => withTrailers(answer, { 'grpc-status': '12' }).end(stream))
  expect(await failureOf(etcd.client())).toMatchObject({ code: 12 })
})

test('a stream that ends without a status is no snapshot', async () => {
  await using etcd = await member(answer => {
    answer.respond(grpcHead)
    answer.end(stream)
  })
  expect(await failureOf(etcd.client())).toMatchObject({ name: 'UnreachableError', failure: 'reset' })
})

test('a member that dies in the middle', async () => {
  await using etcd = await member(answer => {
    answer.respond(grpcHead)
    answer.write(stream)
    setTimeout(() => answer.session?.socket.destroy(), 20)
  })
  expect(await failureOf(etcd.client())).toBeInstanceOf(UnreachableError)
})

test('a member that falls silent, and a stream that is cancelled', async () => {
  await using silent = await member(answer => {
    answer.respond(grpcHead)
    answer.write(stream)
  })
  expect(await failureOf(silent.client(), { timeoutMs: 100 })).toMatchObject({ failure: 'timeout' })
  await using cancelled = await member(answer => answer.close(constants.NGHTTP2_CANCEL))
  expect(await failureOf(cancelled.client())).toBeInstanceOf(UnreachableError)
})

test('who takes long to store what came is not cut off', async () => {
  await using etcd = await member(answer => withTrailers(answer, { 'grpc-status': '0' }).end(stream))
  let bytes = 0
  for await (const piece of etcd.client().snapshot({ timeoutMs: 1000 })) {
    bytes += piece.length
    if (bytes === piece.length) await pause(1500)
  }
  expect(bytes).toBe(Buffer.concat(blobs).length)
})

test('no more comes than is taken', async () => {
  let sent = 0
  await using etcd = await member(answer => {
    const block = message(Buffer.alloc(32_768))
    answer.respond(grpcHead)
    const more = () => {
      while (sent < 64 << 20) {
        sent += block.length
        if (!answer.write(block)) return void answer.once('drain', more)
      }
    }
    more()
  })
  const taken = etcd.client().snapshot()[Symbol.asyncIterator]()
  await taken.next()
  await pause(300)
  // The window of a near member is 1 MiB; the rest is in buffers of the two ends.
  expect(sent).toBeLessThan(16 << 20)
  await taken.return?.()
})

test('the signal ends it with its own reason', async () => {
  await using etcd = await member(answer => {
    answer.respond(grpcHead)
    answer.write(stream)
  })
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('Ctrl-C')), 100)
  expect(await failureOf(etcd.client(), { signal: controller.signal })).toMatchObject({ message: 'Ctrl-C' })
})

test('where gRPC does not come through, over the JSON gateway', async () => {
  const lines = blobs.map(
    blob => `${JSON.stringify({ result: { remaining_bytes: '1', blob: blob.toString('base64') } })}\n`,
  )
  await using gateway = await startGateway((_, response) => {
    const text = lines.join('')
    response.write(text.slice(0, 20_000))
    setTimeout(() => response.end(text.slice(20_000)), 10)
  })
  expect((await readAll(gateway.client().snapshot())).equals(Buffer.concat(blobs))).toBe(true)
  const own = createConnection(gateway.endpoint, async () => identities.good)
  await expect(readAll(grpcSnapshot(own, { timeoutMs: 5000 }))).rejects.toThrow()
})

test('an error in the middle of the gateway’s stream', async () => {
  await using gateway = await startGateway((_, response) => {
    response.write('{"result":{"blob":"AAAA"}}\n')
    response.end('{"error":{"code":14,"message":"etcdserver: no leader"}}\n')
  })
  expect(await failureOf(gateway.client())).toMatchObject({ code: 14, said: 'etcdserver: no leader' })
})
