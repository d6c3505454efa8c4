import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'

const { karmadaNet, kubectl, sandbox } = await openWorld()
const address = '198.18.0.1'
const vm = sandbox.vm('vm1')
const onVm = '--nodes kubernetes.io/hostname=vm1'
const up = (words: string) => karmadaNet(`vip up --vip ${address} ${words} --context host`, { timeoutMs: 400_000 })
const sh = (script: string) => vm.exec(['sh', '-c', script])
const tidy = (script: string) => vm.attempt(['sh', '-c', script])

/** Everything that a refused run must leave as it is. */
const objects = () =>
  kubectl('host', 'get ds,cm,sa,role,rolebinding,pod -A -l app.kubernetes.io/instance=karmada-net-vip -o name')

/** A pod that is removed goes in a moment. */
const nothingIsThere = () => eventually(60, async () => expect(await objects()).toBe(''))

beforeAll(async () => {
  await karmadaNet('vip down --context host', { timeoutMs: 400_000 })
  await vm.exec(['modprobe', 'ip_vs'])
})
afterEach(async () => {
  await tidy(`ipvsadm -D -t ${address}:6443; ip link del vip-check; systemctl stop vip-check.socket`)
  await tidy('umount /proc/sys; ip route del 198.18.0.0/15; sysctl -w net.ipv4.vs.conntrack=0')
})
afterAll(() => karmadaNet('vip down --context host', { timeoutMs: 400_000 }))

test('what is in the way on a node is said at once, and nothing is changed', async () => {
  await sh(`ipvsadm -A -t ${address}:6443 -s rr
ipvsadm -a -t ${address}:6443 -r 198.18.0.2:6443 -m -w 1
ip link add vip-check type dummy
ip link set vip-check up
ip addr add 198.18.7.1/20 dev vip-check
systemd-run --quiet --unit vip-check --socket-property ListenStream=${address}:6443 --socket-property FreeBind=yes true`)
  const table = (await vm.exec(['ipvsadm', '-S', '-n'])).stdout
  const refused = await up(onVm)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(
    "error: vm1: somebody else's virtual server has 198.18.0.1:6443 already (rr, 1 real server)",
  )
  expect(refused.stderr).toContain('ipvsadm -D -t 198.18.0.1:6443')
  expect(refused.stderr).toContain('198.18.0.1 lies in a network of the node, 198.18.0.0/20')
  expect(refused.stderr).toContain('something listens on 198.18.0.1:6443')
  await nothingIsThere()
  expect((await vm.exec(['ipvsadm', '-S', '-n'])).stdout).toBe(table)
})

test('sysctls that cannot be set, and a route to where it is', async () => {
  await sh('mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys')
  await sh(`ip route add 198.18.0.0/15 via $(ip -4 route show default | awk '{print $3}')`)
  const refused = await up(onVm)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('cannot be set in /proc/sys: it is read-only')
  expect(refused.stderr).toContain('sysctl -w net.ipv4.vs.conntrack=1')
  expect(refused.stderr).toContain('198.18.0.1 lies in 198.18.0.0/15, to which the node has a route')
  await nothingIsThere()
})

test('a node whose kernel has no IPVS', async () => {
  // The sandbox's other node has the kernel of the machine that the tests run on.
  const [name] = (
    await kubectl('host', 'get nodes -l kubernetes.io/hostname!=vm1 -o jsonpath={.items[*].metadata.name}')
  ).split(' ')
  const refused = await up(`--nodes kubernetes.io/hostname=${name}`)
  // The machine that the tests run on decides which of the two it is.
  const hasIpvs = existsSync('/proc/net/ip_vs')
  if (hasIpvs) expect(refused).toSucceed()
  else expect(refused).toFailWith(`${name}: no IPVS: `, { hint: 'modprobe ip_vs' })
})

test('an image that cannot be had is said for what it is', async () => {
  const refused = await up(`${onVm} --image registry.invalid/karmada-net:v0`)
  expect(refused).toFailWith('vm1: could not be looked at: its image cannot be had', { hint: '--image-registry' })
  await nothingIsThere()
})

test('a dry run makes no pods', async () => {
  const dry = await up(`${onVm} --dry-run=server`)
  expect(dry).toSucceed()
  expect(dry.stderr).toContain('not looked at: that takes a pod on each')
  await nothingIsThere()
})
