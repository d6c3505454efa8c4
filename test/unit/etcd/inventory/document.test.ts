import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../../src/errors.ts'
import { parseInventory, toInventory } from '../../../../src/etcd/inventory/index.ts'

const example = join(import.meta.dirname, '../../../../manifests/etcd/cluster.yaml')

const inventory = (spec: string) => `apiVersion: karmada-net.io/v1alpha1
kind: EtcdCluster
metadata: {name: karmada}
spec:
${spec.replace(/^/gm, '  ')}
`
const member = (fields: string) => inventory(`members: [{name: m1, address: 10.0.0.1, ${fields}}]`)
const one = 'members: [{name: m1, address: 10.0.0.1, docker: {}}]'

function said(text: string): string[] {
  try {
    parseInventory(text, '/x/c.yaml')
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.message.split('\n').map(line => line.trim())
  }
  throw new Error('nothing was refused')
}

test('the example that is shown to users says what it seems to say', () => {
  const spec = parseInventory(readFileSync(example, 'utf8'), '/x/cluster.yaml')
  expect(spec).toMatchObject({ name: 'karmada', version: '3.6.16', keyType: 'ecdsa-p256' })
  expect(spec.members).toEqual([
    { name: 'm1', address: '10.0.1.10', site: 'beijing', driver: { kind: 'docker', host: 'ssh://root@10.0.1.10' } },
    {
      name: 'm2',
      address: '10.0.2.10',
      site: 'shanghai',
      driver: {
        kind: 'kubernetes',
        context: 'shanghai',
        namespace: 'karmada-net-etcd',
        node: 'worker-1',
        storage: { hostPath: '/var/lib/etcd-karmada' },
      },
    },
    {
      name: 'm3',
      address: '10.0.3.10',
      site: 'shenzhen',
      driver: { kind: 'files', directory: '/x/etcd-files', run: 'systemd' },
    },
  ])
})

test('a registry of images is kept, and goes back into the inventory', () => {
  const spec = parseInventory(inventory(`imageRegistry: mirror.local:5000/k8s\n${one}`), 'c.yaml')
  expect(spec.imageRegistry).toBe('mirror.local:5000/k8s')
  expect(parseInventory(toInventory(spec), 'c.yaml')).toEqual(spec)
})

test('the shortest inventory gets every default', () => {
  expect(parseInventory(inventory(one), 'c.yaml')).toEqual({
    name: 'karmada',
    version: '3.6.16',
    image: 'gcr.io/etcd-development/etcd',
    keyType: 'ecdsa-p256',
    ports: { client: 2379, peer: 2380, metrics: 2381 },
    tuning: { quotaBytes: 8589934592, heartbeatMs: 100, electionMs: 1000, snapshotCount: 10000, extraArgs: [] },
    consumers: ['karmada-apiserver', 'karmada-aggregated-apiserver', 'karmada-search'],
    members: [{ name: 'm1', address: '10.0.0.1', site: 'm1', driver: { kind: 'docker' } }],
  })
})

test.each([
  ['512Mi', 536870912],
  ['2Gi', 2147483648],
  [1000000, 1000000],
])('a quota of %s is %i bytes', (quota, bytes) => {
  const { tuning } = parseInventory(inventory(`tuning: {quota: ${quota}}\n${one}`), 'c.yaml')
  expect(tuning.quotaBytes).toBe(bytes)
})

test.each([
  ['the example', readFileSync(example, 'utf8')],
  ['the shortest', inventory(one)],
  [
    'a volume, a static pod, a listen address',
    inventory(`members:
- {name: a, address: a.example.com, listen: 10.0.0.1, kubernetes: {context: c, storage: {storageClass: fast}}}
- {name: b, address: 'fd00::1', files: {directory: /f, run: static-pod}}
tuning: {quota: 1234567, extraArgs: ['--log-level=warn']}`),
  ],
])('%s comes back from the inventory written of it', (_, text) => {
  const spec = parseInventory(text, '/x/c.yaml')
  expect(parseInventory(toInventory(spec), '/elsewhere/c.yaml')).toEqual(spec)
})

describe('refused, with the path and what is wrong', () => {
  test.each([
    ['not YAML', 'a: b: c', '/x/c.yaml is not YAML: bad indentation of a mapping entry (1:5)'],
    ['nothing', '# to do\n', '/x/c.yaml is empty'],
    ['two clusters', `${inventory(one)}---\n${inventory(one)}`, '/x/c.yaml has 2 documents; one cluster is expected'],
    ['another kind', inventory(one).replace('EtcdCluster', 'Etcd'), '/x/c.yaml: kind: "Etcd" is not EtcdCluster'],
    ['a list', '[1, 2]', '/x/c.yaml: the document: a list is not a map'],
    [
      'a typo',
      member('adress: 1.1.1.1, docker: {}'),
      '/x/c.yaml: spec.members[0].adress: unknown field; did you mean address?',
    ],
    [
      'a typo in depth',
      inventory(`tuning: {heartbeat: 5}\n${one}`),
      '/x/c.yaml: spec.tuning.heartbeat: unknown field; did you mean heartbeatMs?',
    ],
    [
      'a field of nothing',
      inventory(`tuning: {zzzzzzz: 5}\n${one}`),
      '/x/c.yaml: spec.tuning.zzzzzzz: unknown field; known: quota, heartbeatMs, electionMs, snapshotCount, extraArgs',
    ],
    [
      'a field that objects have',
      inventory(`constructor: 5\n${one}`),
      '/x/c.yaml: spec.constructor: unknown field; known: version, image, imageRegistry, keyType, ports, tuning, consumers, backup, members',
    ],
    ['no members', inventory('members: []'), '/x/c.yaml: spec.members: needs at least 1'],
    ['members left out', inventory('version: 3.6.16'), '/x/c.yaml: spec.members: missing'],
    [
      'a version that YAML reads as a number',
      inventory(`version: 3.6\n${one}`),
      '/x/c.yaml: spec.version: 3.6 is not text',
    ],
    [
      'half a version',
      inventory(`version: "3.6"\n${one}`),
      '/x/c.yaml: spec.version: "3.6": a version is MAJOR.MINOR.PATCH, as in 3.6.16',
    ],
    [
      'a version of long ago',
      inventory(`version: 3.4.30\n${one}`),
      '/x/c.yaml: version 3.4.30 is too old: 3.5.0 is the first that this plugin runs',
    ],
    ['a port beyond', inventory(`ports: {peer: 70000}\n${one}`), '/x/c.yaml: spec.ports.peer: 70000 is above 65535'],
    [
      'one port for two',
      inventory(`ports: {peer: 2379}\n${one}`),
      '/x/c.yaml: ports: client, peer and metrics must differ (2379, 2379, 2381)',
    ],
    [
      'a heart that is too slow',
      inventory(`tuning: {heartbeatMs: 300}\n${one}`),
      '/x/c.yaml: tuning: electionMs 1000 is less than 5 heartbeats of 300 ms (1500)',
    ],
    [
      'a flag of ours',
      inventory(`tuning: {extraArgs: [--data-dir=/x]}\n${one}`),
      '/x/c.yaml: tuning.extraArgs: --data-dir is set by this plugin',
    ],
    [
      'a flag that hides all others',
      inventory(`tuning: {extraArgs: [--config-file=/x]}\n${one}`),
      '/x/c.yaml: tuning.extraArgs: --config-file is set by this plugin',
    ],
    [
      'a flag in two words',
      inventory(`tuning: {extraArgs: ['--log-level warn']}\n${one}`),
      '/x/c.yaml: spec.tuning.extraArgs[0]: "--log-level warn": a flag is --NAME=VALUE, without spaces',
    ],
    [
      'a quota in words',
      inventory(`tuning: {quota: 8GB}\n${one}`),
      '/x/c.yaml: spec.tuning.quota: "8GB": a size is a number of bytes, or one with Ki, Mi or Gi, as in 8Gi',
    ],
    ['a consumer twice', inventory(`consumers: [a, b, a]\n${one}`), '/x/c.yaml: spec.consumers[2]: "a" is there twice'],
    [
      'the admin as a consumer',
      inventory(`consumers: [admin]\n${one}`),
      '/x/c.yaml: consumers: admin is always issued, and is for this plugin alone',
    ],
    ['no driver', member('site: s'), '/x/c.yaml: spec.members[0]: needs one of kubernetes, docker, files'],
    [
      'two drivers',
      member('docker: {}, files: {directory: x}'),
      '/x/c.yaml: spec.members[0]: needs one of kubernetes, docker, files, not docker and files',
    ],
    ['a driver left empty', member('docker:'), '/x/c.yaml: spec.members[0].docker: nothing is not a map'],
    [
      'two storages',
      member('kubernetes: {context: c, storage: {hostPath: /x, storageClass: y}}'),
      '/x/c.yaml: spec.members[0].kubernetes.storage: needs one of hostPath, storageClass, not hostPath and storageClass',
    ],
    [
      'a size of a folder',
      member('kubernetes: {context: c, storage: {hostPath: /x, size: 1Gi}}'),
      '/x/c.yaml: spec.members[0].kubernetes.storage.size: needs storageClass beside it',
    ],
    [
      'a name for shouting',
      inventory('members: [{name: M1, address: 10.0.0.1, docker: {}}]'),
      '/x/c.yaml: spec.members[0].name: "M1": a name has lower-case letters, digits and dashes, and neither begins nor ends with a dash',
    ],
    [
      'a schedule with four fields',
      inventory(`backup: {schedule: '* * * *'}\n${one}`),
      '/x/c.yaml: spec.backup.schedule: "* * * *": a schedule is a duration or the five fields of cron, as in 6h or 0 */6 * * *',
    ],
  ])('%s', (_, text, message) => expect(said(text)).toEqual([message]))

  test.each([
    [
      'https://10.0.0.1',
      'the address "https://10.0.0.1" is neither an IP address nor a DNS name (no https://, no port)',
    ],
    ['10.0.0.1:2379', 'the address "10.0.0.1:2379" is neither an IP address nor a DNS name (no https://, no port)'],
    ['10.0.0.300', 'the address "10.0.0.300" is neither an IP address nor a DNS name (no https://, no port)'],
    ['0.0.0.0', "nobody can dial 0.0.0.0; give the machine's address, and listen: 0.0.0.0 beside it"],
  ])('the address %s', (address, why) =>
    expect(said(inventory(`members: [{name: m1, address: "${address}", docker: {}}]`))).toEqual([
      `/x/c.yaml: member m1: ${why}`,
    ]),
  )

  test('members that are one', () =>
    expect(
      said(
        inventory(`members:
- {name: m1, address: 10.0.0.1, docker: {}}
- {name: m1, address: 10.0.0.2, docker: {}}
- {name: m3, address: 10.0.0.2, docker: {}}`),
      ),
    ).toEqual(['/x/c.yaml has 2 problems:', '2 members are called m1', '2 members have the address 10.0.0.2']))

  test('all problems at once, one per line', () =>
    expect(said(inventory('vresion: x\nkeyType: rsa\nmembers: [{name: m1, docker: {hots: a}}]'))).toEqual([
      '/x/c.yaml has 4 problems:',
      'spec.vresion: unknown field; did you mean version?',
      'spec.keyType: "rsa" is none of ecdsa-p256, rsa-2048',
      'spec.members[0].address: missing',
      'spec.members[0].docker.hots: unknown field; did you mean host?',
    ]))
})
