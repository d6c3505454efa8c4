import { expect, test } from 'vitest'
import type { Found } from '../../../src/etcd/drivers/driver.ts'
import { aloneFlag, type Machine, recoveryLines, recoveryOf } from '../../../src/etcd/recover.ts'
import { spec, viewOf } from './member/views.ts'

/** `m1 m2! m3-`: its etcd is there (running or not), there is none, the machine does not answer. */
const machines = (text: string, args: string[] = []): Machine[] =>
  text.split(' ').map(word => {
    const one = { spec: spec(word.replace(/\W/g, '')) }
    if (word.endsWith('-')) return { ...one, error: 'no route to host' }
    const found: Found = word.endsWith('!')
      ? { state: 'absent' }
      : { state: 'stopped', launch: { version: '3.6.16', image: 'etcd', generation: 1, args } }
    return { ...one, found }
  })

const lost = (text: string) => ({ ...viewOf(text), hasQuorum: false })

test('all machines that answer get the data of the one that is left', () => {
  const recovery = recoveryOf(lost('m1 m2! m3!'), machines('m1 m2! m3-'), 'm1')
  expect(recovery).toMatchObject({ answers: true, current: 5n, members: [spec('m1'), spec('m2')] })
  expect(recoveryLines(recovery, 'karmada-recovered.db')).toEqual([
    'save what m1 has to karmada-recovered.db',
    'stop m1, m2; their data stay where they are',
    'restore the file on each, start them as a new cluster, revisions raised',
    'left out: m3 (no route to host); later: etcd member replace m3',
  ])
})

test('one that was restarted since is started alone, the others stopped before', () => {
  const recovery = recoveryOf(lost('m1! m2! m3!'), machines('m1 m2! m3!'), 'm1')
  expect(recoveryLines(recovery, 'f.db').slice(0, 3)).toEqual([
    'stop m2, m3',
    `start m1 once with ${aloneFlag}: it plays its log and answers alone`,
    'save what m1 has to f.db',
  ])
})

test('a run that was cut off goes on, though its survivor has the quorum of one by then', () => {
  const view = { ...viewOf('m1* (m2) (m3)'), hasQuorum: true }
  expect(recoveryOf(view, machines('m1 m2! m3!', [aloneFlag]), 'm1').answers).toBe(true)
})

test.each<[string, Parameters<typeof recoveryOf>[0], Machine[], RegExp]>([
  ['there is a quorum', { ...viewOf('m1* m2 m3!'), hasQuorum: true }, machines('m1 m2 m3'), /nothing to recover$/],
  ['its machine is gone', lost('m1! m2! m3!'), machines('m1- m2! m3!'), /^the machine of m1 does not answer: no route/],
  ['it has no data', lost('m1! m2! m3!'), machines('m1! m2! m3!'), /^there are no data of m1 on its machine/],
  [
    'others only have to be started',
    lost('m1! m2! m3!'),
    machines('m1 m2 m3-'),
    /^m1, m2 are there, enough for a quorum/,
  ],
  [
    'another one has more',
    lost('m1! m2 m3! m4! m5!'),
    machines('m1 m2 m3- m4- m5-'),
    /^m2 has more than m1: entry 10 of term 2/,
  ],
])('refused: %s', (_, view, found, text) => expect(() => recoveryOf(view, found, 'm1')).toThrow(text))

test('one whose machine is gone is left out, be it that nobody can tell from here', () => {
  const recovery = recoveryOf(lost('m1 m2! m3!'), machines('m1 m2 m3'), 'm1', { force: true, without: ['m3'] })
  expect(recovery.members).toEqual([spec('m1'), spec('m2')])
  expect(recoveryLines(recovery, 'f.db').at(-1)).toBe('left out: m3; later: etcd member replace m3')
  expect(() => recoveryOf(lost('m1 m2! m3!'), machines('m1 m2 m3'), 'm1', { without: ['m1'] })).toThrow(
    'm1 cannot be both --from and --without',
  )
})

test('what only seems better can be overruled', () => {
  expect(recoveryOf(lost('m1! m2! m3!'), machines('m1 m2 m3-'), 'm1', { force: true }).members).toHaveLength(2)
})
