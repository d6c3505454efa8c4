import { expect, test } from 'vitest'
import { after, refusedClients } from '../../../../src/etcd/certs/refusals.ts'
import { type AuthorityRotation, isPast, type Phase, roles } from '../../../../src/etcd/certs/rotation.ts'

const at = (phase: Phase): AuthorityRotation => ({ kind: 'authority', phase, restarted: [] })

test.each([
  ['no rotation', undefined, 'current', 'current', ['current']],
  ['new leaves', { kind: 'leaves' as const, replace: [] }, 'current', 'current', ['current']],
  ['trust', at('trust'), 'current', 'current', ['current', 'next']],
  ['hand-over', at('hand-over'), 'current', 'next', ['current', 'next']],
  ['leaves', at('leaves'), 'next', 'next', ['current', 'next']],
  ['retire', at('retire'), 'next', 'next', ['next']],
])('who signs and who is trusted: %s', (_, rotation, members, clients, trusted) => {
  expect(roles(rotation)).toEqual({ members, clients, trusted })
})

test('nobody shows what somebody else does not trust yet, or any more', () => {
  const phases: Phase[] = ['trust', 'hand-over', 'leaves', 'retire']
  for (const [index, phase] of phases.entries()) {
    const { members, clients, trusted } = roles(at(phase))
    // Members of the phase before run beside those of this one, and so do clients.
    const before = roles(index === 0 ? undefined : at(phases[index - 1] ?? phase))
    for (const shown of [before.members, before.clients]) expect(trusted).toContain(shown)
    if (index > 0) for (const shown of [members, clients]) expect(before.trusted).toContain(shown)
  }
})

test('phases have an order', () => {
  expect(isPast(at('leaves'), 'hand-over')).toBe(true)
  expect(isPast(at('trust'), 'trust')).toBe(false)
})

const line = (remote: string, error: string, where = 'client') =>
  `{"level":"warn","msg":"rejected connection on ${where} endpoint","remote-addr":"${remote}","error":"${error}"}`
const unknown = 'tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly ...)'

test('clients that are turned away are found in etcd’s log, of this run alone', () => {
  const log = [
    line('10.0.0.1:1', unknown),
    '{"level":"info","msg":"Running: ","args":["etcd"]}',
    line('10.0.0.7:41234', unknown),
    line('10.0.0.7:41236', unknown),
    line('[fd00::7]:41236', 'remote error: tls: bad certificate'),
    line('10.0.0.8:2', 'EOF'),
    line('10.0.0.3:2', unknown, 'peer'),
  ].join('\n')
  expect(refusedClients(log)).toEqual(['10.0.0.7', 'fd00::7'])
  expect(refusedClients('')).toEqual([])
})

test.each([
  ['b', 'a\nb\nc', '\nc'],
  ['', 'a', 'a'],
  ['gone', 'a\nb', 'a\nb'],
])('what a log says after a mark', (mark, log, rest) => {
  expect(after(mark, log)).toBe(rest)
})
