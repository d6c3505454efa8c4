import { expect, test } from 'vitest'
import { EtcdError, UnreachableError } from '../../../../src/etcd/client/errors.ts'
import { prefixEnd } from '../../../../src/etcd/client/prefix.ts'
import { isTransient, retrying } from '../../../../src/etcd/client/retry.ts'

const endpoint = 'https://10.0.0.1:2379'
const said = (code: number, message: string) => new EtcdError(message, { endpoint, code })
const silent = (failure: UnreachableError['failure']) => new UnreachableError(failure, { endpoint, failure })

test.each([
  [said(14, 'etcdserver: unhealthy cluster'), true],
  [said(14, 'etcdserver: leader changed'), true],
  [
    said(14, 'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connection refused"'),
    true,
  ],
  [said(4, 'context deadline exceeded'), true],
  [said(2, 'raft proposal dropped'), true],
  [said(2, 'etcdserver: too many requests'), true],
  [said(2, 'something else'), false],
  [said(9, 'etcdserver: rpc not supported for learner'), true],
  [said(9, 'etcdserver: can only promote a learner member which is in sync with leader'), true],
  [said(9, 'etcdserver: can only promote a learner member'), false],
  [said(9, 'etcdserver: Peer URLs already exists'), false],
  [said(5, 'etcdserver: member not found'), false],
  [said(8, 'etcdserver: mvcc: database space exceeded'), false],
  [said(3, 'etcdserver: request is too large'), false],
  [silent('refused'), true],
  [silent('reset'), true],
  [silent('timeout'), true],
  [silent('tls'), false],
  [silent('name'), false],
  [new TypeError('ours'), false],
])('%s', (error, expected) => {
  expect(isTransient(error)).toBe(expected)
})

test('goes on until it works, and says why it had to', async () => {
  const outcomes = [silent('refused'), said(14, 'etcdserver: unhealthy cluster')]
  const heard: string[] = []
  const attempt = async () => {
    const error = outcomes.shift()
    if (error) throw error
    return 'done'
  }
  expect(await retrying(attempt, { forMs: 10_000, everyMs: 1, onRetry: error => heard.push(error.message) })).toBe(
    'done',
  )
  expect(heard).toEqual(['refused', `${endpoint}: etcdserver: unhealthy cluster`])
})

test('what is final is thrown at once, what is transient when the time is over', async () => {
  let attempts = 0
  const failing = (error: Error) => async () => {
    attempts++
    throw error
  }
  const final = said(5, 'etcdserver: member not found')
  await expect(retrying(failing(final), { forMs: 10_000 })).rejects.toBe(final)
  expect(attempts).toBe(1)
  const transient = silent('refused')
  await expect(retrying(failing(transient), { forMs: 20, everyMs: 5 })).rejects.toBe(transient)
  expect(attempts).toBeGreaterThan(2)
})

test('the signal ends the waiting', async () => {
  const controller = new AbortController()
  const attempt = async () => {
    setTimeout(() => controller.abort(new Error('Ctrl-C')), 5)
    throw silent('refused')
  }
  await expect(retrying(attempt, { forMs: 60_000, everyMs: 30_000, signal: controller.signal })).rejects.toThrow(
    'Ctrl-C',
  )
})

test.each([
  ['/registry/', '/registry0'],
  ['a', 'b'],
  [Buffer.from([0x61, 0xff]), Buffer.from([0x62])],
  [Buffer.from([0xff, 0xff]), Buffer.from([0])],
  ['', '\0'],
])('the end of prefix %j', (prefix, end) => {
  expect(prefixEnd(prefix)).toEqual(Buffer.from(end))
})
