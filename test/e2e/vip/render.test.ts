import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'
import { byHand, nodeOf } from './node.ts'

const { karmadaNet, sandbox } = await openWorld()
const address = '198.18.0.1'
const service = `${address}:6443`
const vm = sandbox.vm('vm1')
const servers = [1, 2, 3].map(number => `${sandbox.apiServer(number).address}:6443`)
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 280_000 })
const install = () => vm.attempt(['sh', `${byHand}/install.sh`])
const uninstall = () => vm.attempt(['sh', `${byHand}/uninstall.sh`])
const { shell, rules, snapshot } = nodeOf(vm, address)
const wanted = [`-A -t ${service} -s lc`, ...servers.map(server => `-a -t ${service} -r ${server} -m -w 1`)]
const isReady = async () =>
  (await vm.attempt(['curl', '-sS', '--cacert', '/etc/kubernetes/pki/ca.crt', `https://${service}/readyz`])).stdout

let folder: string
let before: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vip-render-'))
  await vip('down')
  await shell('modprobe ip_vs; ipvsadm -C; ip route del local "$1" dev lo || :', address)
  before = await snapshot()
  const out = join(folder, 'out')
  const words = `vip render --vip ${address} --servers ${servers.join()} --out ${out}`
  expect(await karmadaNet(words)).toSucceed()
  expect((await karmadaNet(words)).stderr).toContain('Nothing to do')
  await shell('rm -rf "$2"; cp -r "$1" "$2"', vm.hostPath(out), byHand)
})
afterAll(async () => {
  await vip('down')
  await shell(`sh ${byHand}/uninstall.sh --force; rm -rf ${byHand}`)
  await rm(folder, { recursive: true, force: true })
})

test('a node reaches API servers by what was installed by hand, and again nothing changes', async () => {
  const first = await install()
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toContain(`${service} leads to ${servers.join(' ')}, from ${vm.address}.`)
  expect(await rules()).toEqual(wanted)
  await eventually(180, async () => expect(await isReady()).toBe('ok'))
  const there = await snapshot()
  expect(await install()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to do: /) })
  expect(await snapshot()).toBe(there)
})

test('a boot brings it back before kubelet', async () => {
  await vm.reboot()
  const when = async (unit: string, property: string) =>
    Number(await shell('systemctl show --value -p "$2" "$1"', unit, property))
  await eventually(240, async () => expect(await when('kubelet', 'ExecMainStartTimestampMonotonic')).toBeGreaterThan(0))
  const restored = await when('karmada-net-vip', 'ActiveEnterTimestampMonotonic')
  expect(restored).toBeGreaterThan(0)
  expect(restored).toBeLessThan(await when('kubelet', 'ExecMainStartTimestampMonotonic'))
  // kube-proxy empties the table when it starts.
  await eventually(60, async () => expect(await rules()).toEqual(wanted))
  await eventually(180, async () => expect(await isReady()).toBe('ok'))
})

test('it comes back when somebody removes it', async () => {
  await shell('ipvsadm -C')
  await eventually(60, async () => expect(await rules()).toEqual(wanted))
})

test('uninstalled, the node is as it was', async () => {
  expect(await uninstall()).toEqual({ code: 0, stdout: `Nothing is left of ${service}.\n`, stderr: '' })
  expect(await snapshot()).toBe(before)
})

test('an agent takes such a node over without cutting a connection, and "down" leaves nothing', async () => {
  expect(await install()).toMatchObject({ code: 0 })
  const watch = `kubectl --kubeconfig=/etc/kubernetes/kubelet.conf --server=https://${service} get --raw "/api/v1/services?watch=1&timeoutSeconds=3000"`
  await shell('systemd-run --quiet --unit=vip-watch env PATH="$PATH" sh -c "$1"', watch)
  const isOpen = () => shell('ipvsadm -Lnc | grep -c ESTABLISHED || :')
  await eventually(180, async () => expect(Number(await isOpen())).toBeGreaterThan(0))

  const up = await vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1`)
  expect(up).toSucceed()
  expect(await rules()).toEqual(wanted)
  expect(await shell('systemctl is-active vip-watch')).toBe('active\n')
  await shell('systemctl stop vip-watch')
  const { stdout } = await vip('status -o json')
  const report = JSON.parse(stdout).nodes[0].report
  expect(report.boot).toEqual({ kind: 'systemd', installed: true })
  expect(report.servers.map(({ state, source }: Record<string, string>) => [state, source])).toEqual(
    servers.map(() => ['up', 'discovered']),
  )

  for (const refused of [await install(), await uninstall()])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the agent of "vip up" keeps') })
  expect(await vip('down')).toSucceed()
  expect(await snapshot()).toBe(before)
})
