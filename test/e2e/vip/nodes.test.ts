import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { KubeObject, Wire } from '../../../src/kube/types.ts'
import { openWorld } from '../plugin.ts'

const { karmadaNet, kubectl, read, sandbox } = await openWorld()
const address = '198.18.0.1'
const vm = sandbox.vm('vm1')
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 500_000 })
const onVm = '--nodes kubernetes.io/hostname=vm1'
const role = 'node-role.kubernetes.io/control-plane'

const nodes = async () => (await read<KubeObject & { items: (KubeObject & Wire<V1Node>)[] }>('host', 'nodes')).items
/** Which nodes are labelled, and how. */
const stages = async () =>
  Object.fromEntries((await nodes()).map(({ metadata }) => [metadata.name, metadata.labels?.['karmada-net.io/vip']]))
/** Nodes with an agent. */
async function agents(): Promise<(string | undefined)[]> {
  const words = 'pods -n kube-system -l app.kubernetes.io/component=vip'
  const { items } = await read<KubeObject & { items: (KubeObject & Wire<V1Pod>)[] }>('host', words)
  return items.map(({ spec }) => spec?.nodeName).sort()
}
const rules = async () => (await vm.exec(['ipvsadm', '-S', '-n'])).stdout.trim()

/** The sandbox's other node, on which it cannot work: its sysctls are read-only, whatever its kernel has. */
let other = ''
const onOther = (script: string) => sandbox.host.exec(['sh', '-c', script])
beforeAll(async () => {
  await vip('down')
  await vm.exec(['modprobe', 'ip_vs'])
  other = (await nodes()).map(({ metadata }) => metadata.name).find(name => name !== 'vm1') ?? ''
  // Its /opt is that of the machine that the tests run on, where nothing of it is to be seen.
  await onOther('mount -t tmpfs tmpfs /opt && mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys')
  await kubectl('host', `label node vm1 ${role}=`)
})
afterAll(async () => {
  await kubectl('host', `label node vm1 ${role}-`)
  await onOther('umount /proc/sys')
  await vip('down --force')
  await onOther('umount /opt')
})

test('the first node fails: no other gets it', async () => {
  expect(await vip(`up --vip ${address} --force --timeout 180s`)).toFailWith(`${other}: `)
  expect(await agents()).toEqual([other])
  expect(await stages()).toEqual({ vm1: 'later' })
  expect(await rules()).toBe('')
})

test('without that node it goes on, and what the node had is gone', async () => {
  const up = await vip(`up ${onVm}`)
  expect(up).toSucceed()
  expect(up.stderr).toContain(`nothing is left on ${other}`)
  expect(await agents()).toEqual(['vm1'])
  expect(await stages()).toEqual({})
  expect(await rules()).toContain(`-A -t ${address}:6443`)
})

test('more nodes: a batch that fails says where and why, and the nodes before it keep what they have', async () => {
  const before = await rules()
  expect(await vip('up --nodes kubernetes.io/os=linux --force --timeout 180s')).toFailWith(`${other}: `, {
    hint: 'leave such nodes out with --nodes',
  })
  expect(await agents()).toEqual([other, 'vm1'].sort())
  expect(await rules()).toBe(before)
})

test('other nodes: one that is not chosen any more is as it was', async () => {
  expect(await vip(`up --nodes kubernetes.io/hostname=${other} --force --timeout 180s`)).toFailWith(`${other}: `)
  expect(await agents()).toEqual([other])
  expect(await stages()).toEqual({})
  expect(await rules()).toBe('')
  const left = 'ls -d /opt/karmada-net /var/lib/karmada-net /etc/systemd/system/karmada-net-vip.service'
  expect((await vm.attempt(['sh', '-c', left])).stdout).toBe('')
})

test('no node at all is refused', async () => {
  expect(await vip('up --nodes no-such-label')).toFailWith('there is no such node')
})

test('down: no node keeps a label', async () => {
  await kubectl('host', `label node ${other} karmada-net.io/vip=later`)
  expect(await vip('down')).toSucceed()
  expect(await stages()).toEqual({})
})
