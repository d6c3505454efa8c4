import { expect, test } from 'vitest'
import { judge, parseBundle } from '../../../../src/etcd/certs/judge.ts'
import { createAuthority } from '../../../../src/pki/certificate.ts'
import { foreign, later, leaf, next, now, ours } from './pki.ts'

const signers = [
  { name: 'old authority', certificate: ours.certificate },
  { name: 'new authority', certificate: next.certificate },
]
const need = { signers, names: ['10.0.0.1'], gateway: true, now }

test.each([
  ['good', leaf(), now, [], undefined],
  ['of the new authority', leaf({ by: next }), now, [], undefined],
  ['near its end', leaf(), later(340), [], 'ends on 2027-11-21'],
  ['expired', leaf({ days: 10 }), later(11), ['expired on 2026-12-01'], undefined],
  ['not valid yet', leaf({ from: later(2) }), now, ['not valid before 2026-11-22T23:55:00.000Z'], undefined],
  ['foreign', leaf({ by: foreign }), now, ["signed by Example Corp, not by this cluster's authority"], undefined],
  ['without any name', leaf({ names: [] }), now, ['names no address at all'], undefined],
  ['for another address', leaf({ names: ['10.0.0.9', 'm1'] }), now, ['not for 10.0.0.1'], undefined],
  [
    "a server's alone",
    leaf({ usages: ['server'] }),
    now,
    ['not for clientAuth, so that etcd answers no call with it'],
    undefined,
  ],
])('a certificate that is %s', (_, certificate, at, wrong, due) => {
  expect(judge(certificate, { ...need, now: at })).toMatchObject({ wrong, due })
})

test('an authority of the same name did not sign it', () => {
  const twin = createAuthority('karmada-net etcd karmada', { days: 9, now })
  const judged = judge(leaf(), { ...need, signers: [{ name: 'authority', certificate: twin.certificate }] })
  expect(judged.signedBy).toBeUndefined()
  expect(judged.wrong).toEqual(["signed by karmada-net etcd karmada, not by this cluster's authority"])
})

test('what people and programs want to know of it', () => {
  expect(judge(leaf({ names: ['m1.example.com', '10.0.0.1'] }), need)).toMatchObject({
    subject: 'leaf',
    issuer: 'karmada-net etcd karmada',
    signedBy: 'old authority',
    notAfter: '2027-11-21T00:00:00.000Z',
    daysLeft: 365,
    names: ['m1.example.com', '10.0.0.1'],
  })
})

test('a bundle is taken apart', () => {
  expect(parseBundle(`${ours.certificate}\n${next.certificate}`).map(({ ca }) => ca)).toEqual([true, true])
  expect(parseBundle('nothing')).toEqual([])
})
