import { describe, expect, test } from 'vitest'
import { answerOf } from '../../../src/vip/pod-run.ts'
import { readSettings } from '../../../src/vip/settings.ts'
import { ledTo } from '../../../src/vip/verify/connections.ts'
import { byFingerprint, judgeCertificates, judgeHost, judgePod } from '../../../src/vip/verify/judge.ts'
import { verifyPod } from '../../../src/vip/verify/pod.ts'
import type { Passage, SeenCertificate } from '../../../src/vip/verify/report.ts'

describe('who a connection was led to', () => {
  const text = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
UDP 0A000009 C350 C6120001 192B 0A000003 192B UDP              30
TCP 0A000009 C350 C6120002 192B 0A000003 192B ESTABLISHED     899
TCP 0A000009 C350 C6120001 192B 0A000001 192C ESTABLISHED     899
TCP fd00:0000:0000:0000:0000:0000:0000:0009 C351 fd00:0000:0000:0000:0000:0000:0000:0001 192B fd00:0000:0000:0000:0000:0000:0000:000a 192B ESTABLISHED     899
`
  test.each([
    [{ host: '198.18.0.1', port: 6443 }, 50_000, '10.0.0.1:6444'],
    [{ host: 'fd00::1', port: 6443 }, 50_001, '[fd00::a]:6443'],
    [{ host: '198.18.0.1', port: 6443 }, 50_001, undefined],
    [{ host: '198.18.0.1', port: 443 }, 50_000, undefined],
  ])('%o from port %d', (vip, localPort, server) => {
    expect(ledTo(text, vip, localPort)).toBe(server)
  })
})

const certificate = (more: Partial<SeenCertificate> = {}): SeenCertificate => ({
  fingerprint: 'aa',
  validTo: '2027-11-21T00:00:00.000Z',
  forVip: true,
  forName: true,
  ...more,
})
const [a, b] = ['10.0.0.1:6443', '10.0.0.2:6443']
const answered = (server: string, tookMs: number, fingerprint = server): Passage => ({
  ...{ server, tookMs, status: 200 },
  certificate: certificate({ fingerprint }),
})

const node = (scheduler: string, state: 'up' | 'drained' | 'draining' = 'up') => ({
  scheduler,
  servers: [
    { address: a, state: 'up' as const },
    { address: b, state },
  ],
})

describe('connections of the node', () => {
  test.each([
    [
      'all reached',
      { through: [answered(a, 3.4), answered(a, 9), answered(b, 2)], straight: [] },
      true,
      `${a} 3 ms, ${b} 2 ms`,
    ],
    [
      'one fails',
      { through: [answered(a, 3), { error: 'no answer in 4 s' }], straight: [] },
      false,
      '1 of 2 connections: no answer in 4 s',
    ],
    [
      'one that is dead',
      { through: [answered(a, 3)], straight: [{ server: b, error: 'connection refused' }] },
      false,
      `${b} does not answer: connection refused`,
    ],
    [
      'one that is busier',
      { through: [answered(a, 3)], straight: [answered(b, 1)] },
      true,
      `${a} 3 ms, not led to ${b}, which answers and has more connections`,
    ],
    ['nobody to lead to', { through: [], straight: [] }, false, 'no API server takes connections'],
  ])('%s', (_, passages, ok, detail) => {
    expect(judgeHost(passages, node('lc'))).toEqual({ ok, detail })
  })

  test.each([
    ['mh', 'up', 'which answers: mh leads all connections of one address to the same API server'],
    ['rr', 'up', 'which answers'],
    ['lc', 'drained', 'which takes no new connections'],
    ['mh', 'draining', 'which takes no new connections'],
  ] as const)('%s leads none to a server that is %s', (scheduler, state, why) => {
    const passages = { through: [answered(a, 3)], straight: [answered(b, 1)] }
    const detail = `${a} 3 ms, not led to ${b}, ${why}`
    expect(judgeHost(passages, node(scheduler, state))).toEqual({ ok: true, detail })
  })

  test('one that was drained meanwhile may be gone', () => {
    const passages = { through: [answered(a, 3)], straight: [{ server: b, error: 'connection refused' }] }
    expect(judgeHost(passages, node('lc', 'drained')).ok).toBe(true)
  })
})

describe('connections of a pod', () => {
  test('who answered is told by the certificate', () => {
    const known = byFingerprint([answered(a, 1), answered(b, 1)])
    const pod = [answered(a, 4), answered(b, 6.6), answered(a, 2)].map(({ server: _, ...passage }) => passage)
    expect(judgePod(pod, known)).toEqual({ ok: true, detail: `3 connections, up to 7 ms, to ${a}, ${b}` })
  })

  test('API servers with one certificate cannot be told apart', () => {
    const known = byFingerprint([answered(a, 1, 'same'), answered(b, 1, 'same'), answered(a, 1, 'same')])
    expect(judgePod([answered(a, 4, 'same')], known)).toEqual({ ok: true, detail: '1 connection, up to 4 ms' })
  })

  test('one that does not come through', () => {
    const { ok, detail, hint } = judgePod([answered(a, 4), { error: 'no answer in 4 s' }], new Map())
    expect({ ok, detail }).toEqual({ ok: false, detail: '1 of 2 connections: no answer in 4 s' })
    expect(hint).toContain('NetworkPolicy')
  })
})

describe('certificates', () => {
  const shown = (more: Partial<SeenCertificate>): Passage[] => [
    { ...answered(a, 1), certificate: certificate() },
    { ...answered(b, 1), certificate: certificate(more) },
  ]
  test.each<[string, Passage[], boolean, string]>([
    ['as they should be', shown({ validTo: '2026-12-01T00:00:00.000Z' }), true, 'until 2026-12-01, for 198.18.0.1'],
    ['not for the VIP', shown({ forVip: false }), true, 'clients need "tls-server-name: kubernetes"'],
    ['not for the name either', shown({ forName: false }), false, `not for kubernetes: ${b}`],
    ['not trusted', shown({ distrusted: 'CERT_HAS_EXPIRED' }), false, `of ${b}: CERT_HAS_EXPIRED`],
    ['none', [], false, 'none was seen'],
  ])('%s', (_, passages, ok, detail) => {
    const result = judgeCertificates(passages, '198.18.0.1', 'kubernetes')
    expect(result.ok).toBe(ok)
    expect(result.detail).toContain(detail)
  })
})

describe('the pod', () => {
  const settings = readSettings(JSON.stringify({ vip: 'fd00::1', port: 8443, tlsServerName: 'api.example.com' }))

  test('goes to its node, by our image, and may nothing', () => {
    const pod = verifyPod({ settings, asked: { nodes: [], imageRegistry: 'mirror.example.com' } }, 'worker-1', 'x')
    expect(pod.spec.nodeName).toBe('worker-1')
    const [container] = pod.spec.containers
    expect(container?.image).toMatch(/^mirror\.example\.com\//)
    expect(container?.args).toEqual([
      '--vip=fd00::1',
      '--port=8443',
      '--server-name=api.example.com',
      '--ca=/ca/ca.crt',
      '--out=/dev/termination-log',
    ])
    expect(pod.metadata.labels?.['app.kubernetes.io/component']).toBe('vip-verify')
  })

  test('what it said is its answer, or the reason', () => {
    const ended = (phase: string, message: string) => ({
      status: { phase, containerStatuses: [{ state: { terminated: { message } } }] } as never,
    })
    expect(answerOf(ended('Succeeded', '[{"status":200}]'))).toEqual([{ status: 200 }])
    expect(() => answerOf(ended('Failed', 'error: no such file\n'))).toThrow('no such file')
    expect(() => answerOf({ status: { phase: 'Failed', message: 'evicted' } })).toThrow('evicted')
  })
})
