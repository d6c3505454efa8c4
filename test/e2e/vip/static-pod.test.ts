import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'
import { byHand, nodeOf } from './node.ts'

const { karmadaNet, kubectl, sandbox } = await openWorld()
const address = '198.18.0.1'
const service = `${address}:6443`
const vm = sandbox.vm('vm1')
const servers = [1, 2, 3].map(number => sandbox.apiServer(number))
const manifests = '/etc/kubernetes/manifests'
const { shell, rules, snapshot } = nodeOf(vm, address)
const wanted = (addresses: string[]) => [
  `-A -t ${service} -s lc`,
  ...addresses.map(address => `-a -t ${service} -r ${address}:6443 -m -w 1`),
]
const all = wanted(servers.map(({ address }) => address))

let folder: string
let before: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vip-static-'))
  await karmadaNet('vip down --context host', { timeoutMs: 280_000 })
  await shell('modprobe ip_vs; ipvsadm -C; ip route del local "$1" dev lo || :', address)
  before = await snapshot()
  const list = servers.map(({ address }) => `${address}:6443`).join()
  const out = join(folder, 'out')
  expect(await karmadaNet(`vip render --vip ${address} --servers ${list} --run static-pod --out ${out}`)).toSucceed()
  await shell('rm -rf "$2"; cp -r "$1" "$2"', vm.hostPath(out), byHand)
})
afterAll(async () => {
  await shell(`rm -rf ${manifests}/karmada-net-vip.yaml ${manifests}/uninstall.yaml /etc/karmada-net/vip ${byHand}`)
  await rm(folder, { recursive: true, force: true })
})

test('the kubelet runs an agent that needs no account of the cluster', async () => {
  await shell(`install -D -m 0644 ${byHand}/settings.json /etc/karmada-net/vip/settings.json
install -D -m 0600 ${byHand}/karmada-net-vip.yaml ${manifests}/karmada-net-vip.yaml`)
  await eventually(300, async () => expect(await rules()).toEqual(all))
  await eventually(180, async () => {
    const { stdout } = await vm.attempt(['curl', '-s', `http://${vm.address}:9819/healthz`])
    expect(stdout).toBe('ok\n')
  })
  const report = JSON.parse(await shell('curl -s "http://$1:9819/status"', vm.address))
  expect(report.servers.map(({ source }: { source: string }) => source)).toEqual(['static', 'static', 'static'])
  expect(report.discovery).toMatchObject({ from: 'static', error: expect.stringContaining('no token') })
})

test('it takes out an API server that refuses, and puts back what somebody removed', async () => {
  const [, second] = servers
  if (!second) throw new Error('no second API server')
  await second.refuse()
  const others = wanted(servers.filter(server => server !== second).map(({ address }) => address))
  try {
    await eventually(180, async () => expect(await rules()).toEqual(others))
  } finally {
    await second.heal()
  }
  await eventually(180, async () => expect(await rules()).toEqual(all))
  await shell('ipvsadm -C')
  await eventually(60, async () => expect(await rules()).toEqual(all))
})

test('the pod that uninstalls leaves the node as it was', async () => {
  await shell(`rm ${manifests}/karmada-net-vip.yaml`)
  const pod = (name: string) => `-n kube-system get pod ${name}-vm1 --ignore-not-found`
  await eventually(240, async () => expect(await kubectl('host', pod('karmada-net-vip'))).toBe(''))
  expect(await rules()).toEqual(all)
  await shell(`install -m 0600 ${byHand}/uninstall.yaml ${manifests}/uninstall.yaml`)
  const phase = () => kubectl('host', `${pod('karmada-net-vip-uninstall')} -o jsonpath={.status.phase}`)
  await eventually(240, async () => expect(await phase()).toBe('Succeeded'))
  await shell(
    `rm -r ${manifests}/uninstall.yaml /etc/karmada-net/vip; rmdir --ignore-fail-on-non-empty /etc/karmada-net`,
  )
  expect(await snapshot()).toBe(before)
})
