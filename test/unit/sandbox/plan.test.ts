import { expect, test } from 'vitest'
import { accessOf, contextNames, kubeconfig } from '../../sandbox/kubeconfig.ts'
import { adminInterface, apiNames, planSandbox, rootInterface, slots } from '../../sandbox/plan.ts'

const shape = { hosts: 2, pull: 3, push: 2, karmada: true, machines: 3 }

test('clusters have readable names, in the order host, pull, push', () => {
  const { clusters } = planSandbox('s', 7, shape)
  expect(clusters.map(({ name }) => name)).toEqual(['host', 'host2', 'member1', 'member2', 'member3', 'push1', 'push2'])
  expect(clusters.flatMap(({ karmada }) => karmada ?? [])).toEqual(['karmada', 'karmada2'])
})

test('machines for etcd are no clusters', () => {
  expect(planSandbox('s', 7, shape).machines).toEqual([
    { name: 'etcd1', address: '198.19.7.100' },
    { name: 'etcd2', address: '198.19.7.101' },
    { name: 'etcd3', address: '198.19.7.102' },
  ])
})

test('pull members overlap, and each has a line of its own', () => {
  const pull = planSandbox('s', 7, shape).clusters.filter(({ role }) => role === 'pull')
  expect(new Set(pull.map(({ address }) => address))).toEqual(new Set(['192.168.1.10']))
  expect(pull.map(({ adminAddress, router }) => [router?.adminPeer, adminAddress])).toEqual([
    ['198.19.7.128', '198.19.7.129'],
    ['198.19.7.130', '198.19.7.131'],
    ['198.19.7.132', '198.19.7.133'],
  ])
})

test('no two addresses of the largest sandbox are the same, and all are in its range', () => {
  const plan = planSandbox('s', 254, { hosts: 8, pull: 32, push: 16, karmada: true, machines: 16 })
  const addresses = [
    plan.gateway,
    plan.rootAddress,
    ...plan.clusters.map(({ adminAddress }) => adminAddress),
    ...plan.machines.map(({ address }) => address),
    ...plan.clusters.flatMap(({ router }) => (router ? [router.outside.replace('/25', ''), router.adminPeer] : [])),
  ]
  expect(new Set(addresses).size).toBe(addresses.length)
  for (const address of addresses) expect(address).toMatch(/^198\.19\.254\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/)
})

test('a larger shape leaves the addresses of the smaller one alone', () => {
  const small = planSandbox('s', 7, { hosts: 1, pull: 1, push: 1, karmada: true, machines: 1 })
  const large = planSandbox('s', 7, { hosts: 2, pull: 2, push: 2, karmada: true, machines: 2 })
  expect(large.clusters).toEqual(expect.arrayContaining(small.clusters))
  expect(large.machines).toEqual(expect.arrayContaining(small.machines))
})

test('without Karmada no host has a control plane', () => {
  const { clusters } = planSandbox('s', 7, { ...shape, karmada: false })
  expect(clusters.some(({ karmada }) => karmada)).toBe(false)
})

test('interfaces fit into the 15 characters that Linux allows', () => {
  const { clusters } = planSandbox('s', slots.last, { hosts: 1, pull: 32, push: 0, karmada: true, machines: 0 })
  const names = [rootInterface(slots.last), ...clusters.map(cluster => adminInterface(slots.last, cluster))]
  expect(Math.max(...names.map(name => name.length))).toBeLessThanOrEqual(15)
})

test('the API server of a pull member answers to its own address and to the line from outside', () => {
  const [, member] = planSandbox('s', 7, { hosts: 1, pull: 1, push: 0, karmada: true, machines: 0 }).clusters
  if (!member) throw new Error('no member')
  expect(apiNames(member)).toEqual(
    expect.arrayContaining(['192.168.1.10', '198.19.7.129', '10.96.0.1', 'kubernetes.default.svc']),
  )
})

test('a merged kubeconfig gives every context its own credentials back', () => {
  const access = (name: string) => ({
    server: `https://${name}:6443`,
    ca: `ca of ${name}`,
    certificate: `certificate of ${name}`,
    key: `key of ${name}`,
  })
  const text = kubeconfig({ host: access('host'), karmada: access('karmada') })
  expect(contextNames(text)).toEqual(['host', 'karmada'])
  expect(accessOf(text)).toEqual(access('host'))
  expect(accessOf(text, 'karmada')).toEqual(access('karmada'))
  expect(() => accessOf(text, 'member1')).toThrow('member1')
})

test('the API servers of the first host answer to all their addresses, and to a virtual one', () => {
  const { clusters, apiServers } = planSandbox('s', 7, { hosts: 2, apiServers: 3, vip: '198.18.0.1' })
  expect(apiServers).toEqual([
    { name: 'host-api2', address: '198.19.7.21' },
    { name: 'host-api3', address: '198.19.7.22' },
  ])
  const [first, second] = clusters.map(apiNames)
  expect(first).toEqual(expect.arrayContaining(['198.19.7.10', '198.19.7.21', '198.19.7.22', '198.18.0.1']))
  expect(second).not.toContain('198.18.0.1')
})

test('no two machines have the same address', () => {
  const shape = { hosts: 8, push: 16, machines: 16, apiServers: 5, vmNodes: 4 }
  const { clusters, machines, apiServers, vms, rootAddress, gateway } = planSandbox('s', 7, shape)
  const addresses = [...clusters, ...machines, ...apiServers, ...vms].map(({ address }) => address)
  expect(new Set([...addresses, rootAddress, gateway]).size).toBe(8 + 16 + 16 + 4 + 4 + 2)
})
