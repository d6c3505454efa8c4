import { createPrivateKey } from 'node:crypto'
import { createServer as createPlainServer } from 'node:net'
import { createServer, type Server, type TlsOptions } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import {
  judgeAlarms,
  judgeInventory,
  judgeLearners,
  judgeMembers,
  judgeQuorum,
  judgeVersions,
} from '../../../src/etcd/checks/cluster.ts'
import { histogramIn, quantile } from '../../../src/etcd/checks/histogram.ts'
import { judgeClock, judgeDisk, judgeFsync, judgeLog } from '../../../src/etcd/checks/machine.ts'
import { foreignIdentity, tryToEnter } from '../../../src/etcd/checks/refusal.ts'
import type { ClusterView } from '../../../src/etcd/view.ts'
import { createAuthority, issue } from '../../../src/pki/certificate.ts'
import { dead, healthy, listed, memberStatus, viewOf } from './views.ts'

const fine = viewOf([healthy(1), healthy(2), healthy(3)])
const silent = new Error('no answer')

describe('a cluster that is well passes', () => {
  test.each([
    [judgeMembers, '3 of 3'],
    [judgeQuorum, '3 of 3 voters healthy, leader m2'],
    [judgeInventory, '3 members'],
    [judgeLearners, undefined],
    [judgeAlarms, undefined],
    [judgeVersions, '3.6.16'],
  ])('%o', (judge, detail) => expect(judge(fine)).toEqual({ ok: true, detail }))
})

describe('a cluster that is not', () => {
  test.each<[string, typeof judgeMembers, ClusterView, RegExp, RegExp]>([
    ['a silent member', judgeMembers, viewOf([healthy(1), healthy(2), dead(3, silent)]), /^2 of 3$/, /etcd status$/],
    [
      'no quorum',
      judgeQuorum,
      viewOf([healthy(1), dead(2, silent), dead(3, silent)], { leader: undefined, hasQuorum: false }),
      /^1 of 3 voters healthy: writes are refused$/,
      /etcd status$/,
    ],
    [
      'a stranger',
      judgeInventory,
      viewOf([healthy(1)], { strangers: [listed(9, { id: 0x9dn, name: '' })] }),
      /^9d \(https:\/\/10.0.0.9:2380\) is in the list alone$/,
      /member remove 9d$/,
    ],
    [
      'a member that nobody knows',
      judgeInventory,
      viewOf([healthy(1), healthy(2, { member: undefined })]),
      /^not in the list: m2$/,
      /member replace m2$/,
    ],
    [
      'a learner',
      judgeLearners,
      viewOf([healthy(1), healthy(2, { status: memberStatus(2, { isLearner: true }) })]),
      /^learner: m2$/,
      /member promote m2$/,
    ],
    [
      'an alarm',
      judgeAlarms,
      viewOf([healthy(1, { status: memberStatus(1, { errors: ['memberID:2 alarm:NOSPACE'] }) }), healthy(2)]),
      /^m2: NOSPACE$/,
      /alarms --disarm$/,
    ],
    [
      'two versions',
      judgeVersions,
      viewOf([healthy(1), healthy(2), healthy(3, { status: memberStatus(3, { version: '3.5.33' }) })]),
      /^3\.6\.16: m1 m2, 3\.5\.33: m3$/,
      /etcd upgrade/,
    ],
  ])('%s', (_, judge, view, detail, hint) => {
    expect(judge(view)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(detail),
      hint: expect.stringMatching(hint),
    })
  })
})

describe('its machine', () => {
  test.each([
    [undefined, true, 'cannot be seen from here'],
    [40, true, '40 ms ahead'],
    [-999, true, '999 ms behind'],
    [-61_000, false, '61000 ms behind'],
  ])('a clock %s ms away', (skew, ok, detail) => expect(judgeClock(skew)).toMatchObject({ ok, detail }))

  const gib = 2 ** 30
  test.each([
    [20 * gib, 4 * gib, true, '20 GiB free'],
    [4 * gib, 4 * gib, false, '4 GiB free, 4.3 GiB are needed'],
  ])('%s bytes free, %d in use', (free, used, ok, detail) =>
    expect(judgeDisk(free, used, 'm1')).toMatchObject({ ok, detail }),
  )
})

describe('its log, where the disk cannot be asked', () => {
  const full =
    '{"level":"error","ts":"2026-11-21T03:00:00.5Z","msg":"failed to preallocate space when creating a new WAL","error":"no space left on device"}'
  const at = Date.parse('2026-11-21T03:00:00Z')
  test('a complaint of just now', () =>
    expect(judgeLog(`{"msg":"ok"}\n${full}\n{"msg":"ok"}\n`, at + 60_000, 'm1')).toMatchObject({
      ok: false,
      said: full,
      hint: expect.stringContaining('member replace m1'),
    }))
  test('one of yesterday, or none', () => {
    expect(judgeLog(full, at + 86_400_000, 'm1').ok).toBe(true)
    expect(judgeLog('{"msg":"ok"}', at, 'm1').ok).toBe(true)
  })
})

const name = 'etcd_disk_wal_fsync_duration_seconds'
const metrics = (counts: [string, number][]) =>
  [
    `# HELP ${name} The latency distributions of fsync called by WAL.`,
    `# TYPE ${name} histogram`,
    ...counts.map(([le, count]) => `${name}_bucket{le="${le}"} ${count}`),
    `${name}_sum 3.1`,
    `${name}_count ${counts.at(-1)?.[1]}`,
    'etcd_disk_wal_write_bytes_total 1024',
  ].join('\n')

describe('disk latency', () => {
  test('a quantile lies within its bucket', () => {
    const histogram = histogramIn(
      metrics([
        ['0.001', 50],
        ['0.002', 90],
        ['0.004', 100],
        ['+Inf', 100],
      ]),
      name,
    )
    expect(histogram?.count).toBe(100)
    expect(histogram && quantile(histogram, 0.5)).toBeCloseTo(0.001, 6)
    expect(histogram && quantile(histogram, 0.99)).toBeCloseTo(0.0038, 6)
  })

  test.each<[string, [string, number][], boolean, string]>([
    [
      'fast',
      [
        ['0.001', 90],
        ['0.002', 1000],
        ['+Inf', 1000],
      ],
      true,
      'fsync of the log: 99% within 2 ms, of 1000',
    ],
    [
      'slow',
      [
        ['0.008', 50],
        ['0.016', 98],
        ['0.032', 100],
        ['+Inf', 100],
      ],
      false,
      'fsync of the log: 99% within 24 ms, of 100',
    ],
    [
      'slower than the last bucket',
      [
        ['8.192', 1],
        ['+Inf', 100],
      ],
      false,
      'fsync of the log: 99% within 8200 ms, of 100',
    ],
    [
      'not used yet',
      [
        ['0.001', 0],
        ['+Inf', 0],
      ],
      true,
      'nothing written yet',
    ],
  ])('%s', (_, counts, ok, detail) => expect(judgeFsync(metrics(counts))).toMatchObject({ ok, detail }))

  test('an etcd that does not tell is not blamed', () =>
    expect(judgeFsync('# nothing')).toEqual({ ok: true, detail: 'nothing written yet' }))
})

describe('a port and strangers', async () => {
  const authority = createAuthority('ours', { days: 1 })
  const signer = { certificate: authority.certificate, key: createPrivateKey(authority.key) }
  const own = issue(signer, { commonName: 'm1', usages: ['server', 'client'], names: ['127.0.0.1'], days: 1 })
  const open: { close(): void }[] = []
  const listen = (server: Server | ReturnType<typeof createPlainServer>) =>
    new Promise<number>(resolve => {
      open.push(server)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  const tls = (options: TlsOptions) =>
    listen(
      createServer({ cert: own.certificate, key: own.key, ca: authority.certificate, ...options }, socket => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
      }),
    )
  afterAll(() => open.forEach(server => void server.close()))

  test('one that asks for certificates refuses none and a foreign one, and lets its own in', async () => {
    const port = await tls({ requestCert: true, rejectUnauthorized: true })
    const none = await tryToEnter('127.0.0.1', port, undefined)
    const foreign = await tryToEnter('127.0.0.1', port, foreignIdentity('admin'))
    expect([none.refused, foreign.refused]).toEqual([true, true])
    expect(await tryToEnter('127.0.0.1', port, own)).toEqual({ refused: false, said: 'HTTP/1.1 200 OK' })
  })

  test('one that does not ask is found out', async () => {
    const port = await tls({ requestCert: false })
    expect(await tryToEnter('127.0.0.1', port, undefined)).toMatchObject({ refused: false })
  })

  test('one that asks and does not check is found out', async () => {
    const port = await tls({ requestCert: true, rejectUnauthorized: false })
    expect(await tryToEnter('127.0.0.1', port, foreignIdentity('admin'))).toMatchObject({ refused: false })
  })

  test('nobody there is no refusal', async () => {
    const port = await listen(createPlainServer())
    open.pop()?.close()
    await expect(tryToEnter('127.0.0.1', port, undefined)).rejects.toThrow(/connection refused/)
  })

  test('one that says nothing is no refusal', async () => {
    const port = await listen(createPlainServer(socket => void socket.on('error', () => {})))
    await expect(tryToEnter('127.0.0.1', port, undefined, { timeoutMs: 200 })).rejects.toThrow(/0.2s/)
  })
})
