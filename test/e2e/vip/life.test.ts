import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld } from '../plugin.ts'
import { nodeOf } from './node.ts'

const { karmadaNet, kubectl, sandbox } = await openWorld()
const address = '198.18.0.1'
const vm = sandbox.vm('vm1')
/** The machine that the tests run on may have no IPVS: the sandbox's other node is left out. */
const onVm = '--nodes kubernetes.io/hostname=vm1'
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 280_000 })
const objects = () =>
  kubectl('host', 'get ds,cm,sa,role,rolebinding -A -l app.kubernetes.io/instance=karmada-net-vip -o name')

const { rules, snapshot } = nodeOf(vm, address)

let before: string
beforeAll(async () => {
  await vip('down')
  await vm.exec(['modprobe', 'ip_vs'])
  before = await snapshot()
})
afterAll(() => vip('down'))

test('up: the node reaches every API server by the virtual IP', async () => {
  const up = await vip(`up --vip ${address} ${onVm}`)
  expect(up).toSucceed()
  expect(up.stderr).toContain('3 of 3 API servers up')
  expect(await rules()).toEqual([
    `-A -t ${address}:6443 -s lc`,
    ...[1, 2, 3].map(number => `-a -t ${address}:6443 -r ${sandbox.apiServer(number).address}:6443 -m -w 1`),
  ])
  const ca = ['--cacert', '/etc/kubernetes/pki/ca.crt']
  expect((await vm.exec(['curl', '-sS', ...ca, `https://${address}:6443/readyz`])).stdout).toBe('ok')
})

test('up again: nothing to do', async () => {
  const up = await vip('up')
  expect(up).toSucceed()
  expect(up.stderr).toContain('Nothing to do')
})

test('status: one line for each API server', async () => {
  const { stdout } = await vip('status -o json')
  const { ready, nodes } = JSON.parse(stdout) as {
    ready: number
    nodes: { node: string; report: { servers: { state: string }[]; boot: { installed: boolean } } }[]
  }
  expect(ready).toBe(1)
  expect(nodes.map(({ node }) => node)).toEqual(['vm1'])
  expect(nodes[0]?.report.servers.map(({ state }) => state)).toEqual(['up', 'up', 'up'])
  expect(nodes[0]?.report.boot).toMatchObject({ kind: 'systemd', installed: true })
})

test('another scheduler reaches the node', async () => {
  expect(await vip('up --scheduler wlc')).toSucceed()
  expect(await rules()).toContain(`-A -t ${address}:6443 -s wlc`)
})

test('another address is refused while this one is used', async () => {
  expect(await vip('up --vip 198.18.0.9')).toFailWith('it cannot move while it is used', { hint: 'vip down' })
})

test('down: the node is as it was', async () => {
  const down = await vip('down')
  expect(down).toSucceed()
  expect(down.stderr).toMatch(/nothing is left on \d+ node/)
  expect(await snapshot()).toBe(before)
  expect(await objects()).toBe('')
})
