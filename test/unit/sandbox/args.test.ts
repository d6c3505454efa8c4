import { expect, test } from 'vitest'
import { parseRequest } from '../../sandbox/args.ts'
import { emptyShape } from '../../sandbox/plan.ts'

const shape = { ...emptyShape, hosts: 1, pull: 2 }

test.each([
  ['', { verb: 'help' }],
  ['up --help', { verb: 'help' }],
  ['up', { verb: 'up', name: 'default', shape }],
  [
    'up --members 0 --push=3 --hosts 2',
    { verb: 'up', name: 'default', shape: { ...shape, pull: 0, push: 3, hosts: 2 } },
  ],
  [
    'up --hosts 0 --members 0 --machines 3',
    { verb: 'up', name: 'default', shape: { ...shape, hosts: 0, pull: 0, machines: 3 } },
  ],
  ['up --machines=2', { verb: 'up', name: 'default', shape: { ...shape, machines: 2 } }],
  [
    'up --api-servers 3 --vm-nodes 1 --vip 198.18.0.1',
    { verb: 'up', name: 'default', shape: { ...shape, apiServers: 3, vmNodes: 1, vip: '198.18.0.1' } },
  ],
  ['--name a-1 up --karmada=false', { verb: 'up', name: 'a-1', shape: { ...shape, karmada: false } }],
  ['down', { verb: 'down', names: ['default'] }],
  ['down --name x', { verb: 'down', names: ['x'] }],
  ['down --all', { verb: 'down', names: 'all' }],
  ['status', { verb: 'status', name: undefined }],
  ['status --name x', { verb: 'status', name: 'x' }],
  ['kubeconfig --hub', { verb: 'kubeconfig', name: 'default', hub: true }],
  ['shell member1', { verb: 'shell', name: 'default', machine: 'member1', command: [] }],
  ['shell host -- ip -br a', { verb: 'shell', name: 'default', machine: 'host', command: ['ip', '-br', 'a'] }],
  ['logs host', { verb: 'logs', name: 'default', machine: 'host', component: undefined, follow: false }],
  ['logs host etcd -f', { verb: 'logs', name: 'default', machine: 'host', component: 'etcd', follow: true }],
])('%s', (line, request) => {
  expect(parseRequest(line.split(' ').filter(Boolean))).toEqual(request)
})

test.each([
  ['fly', 'unknown command "fly"'],
  ['up --members -1', '--members'],
  ['up --members=many', '--members=many: a number from 0 to 32'],
  ['up --hosts 9', '--hosts=9: a number from 0 to 8'],
  ['up --hosts 0', '--hosts=0: members have no Karmada to join'],
  ['up --machines 17', '--machines=17: a number from 0 to 16'],
  ['up --karmada=perhaps', '--karmada=perhaps: true or false'],
  ['up --name ../etc', '--name=../etc'],
  ['up --name .slots', '--name=.slots'],
  ['up --what', "'--what'"],
  ['shell', 'which machine?'],
])('%s is refused', (line, message) => {
  expect(() => parseRequest(line.split(' '))).toThrow(message)
})
