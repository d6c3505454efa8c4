import { expect, test } from 'vitest'
import { UserError } from '../../../../src/errors.ts'
import { memberFromFlag } from '../../../../src/etcd/inventory/index.ts'

const base = { name: 'm1', address: '10.0.0.1', site: 'm1' }
const kubernetes = { kind: 'kubernetes', context: 'hub', namespace: 'karmada-net-etcd' }

test.each([
  ['docker', { ...base, driver: { kind: 'docker' } }],
  ['docker=ssh://root@10.0.0.1', { ...base, driver: { kind: 'docker', host: 'ssh://root@10.0.0.1' } }],
  ['docker,docker-context=far', { ...base, driver: { kind: 'docker', context: 'far' } }],
  ['docker-context=far', { ...base, driver: { kind: 'docker', context: 'far' } }],
  ['docker,site=east,listen=0.0.0.0', { ...base, site: 'east', listen: '0.0.0.0', driver: { kind: 'docker' } }],
  ['context=hub', { ...base, driver: { ...kubernetes, storage: { hostPath: '/var/lib/karmada-net/etcd' } } }],
  [
    'context=hub,node=n1,namespace=ns,host-path=/data',
    { ...base, driver: { ...kubernetes, namespace: 'ns', node: 'n1', storage: { hostPath: '/data' } } },
  ],
  [
    'context=hub,storage-class=fast,size=5Gi',
    { ...base, driver: { ...kubernetes, storage: { storageClass: 'fast', size: '5Gi' } } },
  ],
  ['files=/out', { ...base, driver: { kind: 'files', directory: '/out', run: 'systemd' } }],
  ['files=/out,run=static-pod', { ...base, driver: { kind: 'files', directory: '/out', run: 'static-pod' } }],
])('m1=10.0.0.1,%s', (options, member) => expect(memberFromFlag(`m1=10.0.0.1,${options}`)).toEqual(member))

test('an address of IPv6', () => expect(memberFromFlag('m1=fd00::1,docker').address).toBe('fd00::1'))

test('a folder is remembered from the root on', () =>
  expect(memberFromFlag('m1=10.0.0.1,files=out').driver).toMatchObject({ directory: `${process.cwd()}/out` }))

test.each([
  ['m1', 'there is no address'],
  ['m1=,docker', 'there is no address'],
  ['10.0.0.1,docker', '"10.0.0.1" is no name: lower-case letters, digits and inner dashes, at most 40'],
  ['M1=10.0.0.1,docker', '"M1" is no name: lower-case letters, digits and inner dashes, at most 40'],
  ['m1=10.0.0.1', 'it does not say how the member runs'],
  ['m1=10.0.0.1,site=a', 'it does not say how the member runs'],
  ['m1=10.0.0.1,dokcer', '"dokcer" is not known'],
  ['m1=10.0.0.1,context', 'context has no value'],
  ['m1=10.0.0.1,docker,docker', 'docker is there twice'],
  ['m1=10.0.0.1,docker,context=hub', 'docker and context do not go together'],
  ['m1=10.0.0.1,files=a,node=n', 'node and files do not go together'],
  ['m1=10.0.0.1,node=n', 'there is no context=CONTEXT'],
  ['m1=10.0.0.1,run=systemd', 'there is no files=FOLDER'],
  ['m1=10.0.0.1,files=a,run=upstart', 'files.run: "upstart" is none of systemd, static-pod'],
  ['m1=10.0.0.1,context=c,size=1Gi', 'size is of a storage-class, which is not given'],
  ['m1=10.0.0.1,context=c,host-path=/a,storage-class=b', 'host-path and storage-class do not go together'],
  [
    'm1=10.0.0.1,docker=10.0.0.1',
    'docker.host: "10.0.0.1": an engine is ssh://USER@HOST, unix:///PATH or tcp://HOST:PORT',
  ],
  [
    'm1=10.0.0.1,docker,site=East',
    'site: "East": a name has lower-case letters, digits and dashes, and neither begins nor ends with a dash',
  ],
  ['m1=10.0.0.1,docker=ssh://a,docker-context=b', 'docker=HOST and docker-context do not go together'],
])('--member %s is refused', (text, why) => expect(refusal(text).message).toBe(`--member ${text}: ${why}`))

test.each([
  ['m1=10.0.0.1,dokcer', 'did you mean docker?'],
  ['m1=10.0.0.1,contxt=a', 'did you mean context?'],
])('the word that was probably meant in %s is offered', (text, hint) => expect(refusal(text).hint).toBe(hint))

function refusal(text: string): UserError {
  try {
    memberFromFlag(text)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('it was taken')
}
