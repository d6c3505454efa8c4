import { expect, test } from 'vitest'
import { stillOld } from '../../../../src/etcd/certs/authority.ts'
import { leavesOf } from '../../../../src/etcd/certs/leaves.ts'
import { certificateRows } from '../../../../src/etcd/certs/status.ts'
import { later, leaf, memberCertificates, next, now, ours, viewOf } from './pki.ts'

const rows = (view = viewOf(), at = now) =>
  certificateRows(view, at).map(({ certificate, signedBy, served, state, notes }) =>
    [certificate, signedBy ?? '-', served ?? '-', state, notes.join('; ')].join(' | '),
  )

test('every certificate has a row', () => {
  expect(rows()).toEqual([
    'authority | itself | - | ok | ',
    ...['m1', 'm2', 'm3'].flatMap(name => [
      `${name} server | authority | as delivered | ok | `,
      `${name} peer | authority | as delivered | ok | `,
    ]),
    'client admin | authority | - | ok | ',
  ])
})

test('what is due, and what was not issued yet', () => {
  const view = viewOf({ members: [memberCertificates('m1')], clients: [{ consumer: 'search' }] })
  expect(rows(view, later(350))).toEqual([
    'authority | itself | - | ok | ',
    'm1 server | authority | as delivered | due | ends on 2027-11-21',
    'm1 peer | authority | as delivered | due | ends on 2027-11-21',
    'client search | - | - | due | not issued yet',
  ])
})

test('what is served counts, and must be what was delivered', () => {
  const m1 = memberCertificates('m1')
  const [server, peer] = [leaf(), new Error('https://10.0.0.1:2380: connection refused')]
  expect(rows(viewOf({ members: [{ ...m1, served: { server, peer } }], clients: [] }))).toEqual([
    'authority | itself | - | ok | ',
    'm1 server | authority | another | wrong | not the one that was delivered',
    'm1 peer | authority | no answer | ok | https://10.0.0.1:2380: connection refused',
  ])
})

test('a change of the authority has two', () => {
  const signers = [
    { name: 'old authority', certificate: ours.certificate },
    { name: 'new authority', certificate: next.certificate },
  ]
  const members = [memberCertificates('m1'), memberCertificates('m2', { by: next })]
  const clients = [{ consumer: 'admin', certificate: leaf({ by: next }) }, { consumer: 'search' }]
  const view = viewOf({ signers, members, clients })
  expect(rows(view)).toEqual([
    'old authority | itself | - | ok | ',
    'new authority | itself | - | ok | ',
    'm1 server | old authority | as delivered | ok | ',
    'm1 peer | old authority | as delivered | ok | ',
    'm2 server | new authority | as delivered | ok | ',
    'm2 peer | new authority | as delivered | ok | ',
    'client admin | new authority | - | ok | ',
    'client search | - | - | due | not issued yet',
  ])
  expect(stillOld(view, next.certificate)).toEqual(['m1 server', 'm1 peer', 'client search'])
})

test('a rotation replaces what is there when it begins', () => {
  const view = viewOf({ clients: [{ consumer: 'admin', certificate: leaf() }, { consumer: 'new' }] })
  expect(new Set(leavesOf(view)).size).toBe(7)
})
