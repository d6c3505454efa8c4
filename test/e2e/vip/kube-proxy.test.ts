import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'
import { proxyByDaemonSet } from './kube-proxy.ts'

const world = await openWorld()
const { karmadaNet, kubectl, sandbox } = world
const address = '198.18.0.1'
const vm = sandbox.vm('vm1')
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 400_000 })
const up = () => vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1`)
const rules = async () => (await vm.exec(['ipvsadm', '-S', '-n'])).stdout

let proxy: Awaited<ReturnType<typeof proxyByDaemonSet>>
beforeAll(async () => {
  await vip('down')
  proxy = await proxyByDaemonSet(world, 'vm1', 'ipvs')
})
afterAll(async () => {
  await vip('down')
  await proxy.end()
})

test('what would change is shown, and nothing does', async () => {
  const shown = await vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1 --dry-run=client -o yaml`)
  expect(shown.stdout).toContain(`excludeCIDRs: ["${address}/32"]`)
  const tried = await vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1 --dry-run=server`)
  expect(tried).toSucceed()
  expect(tried.stderr).toContain(`${address}/32 would be in excludeCIDRs`)
  expect(await proxy.settings()).toEqual(proxy.data)
})

test('up: kube-proxy in mode ipvs is told and restarted before there is anything to remove', async () => {
  const before = await proxy.pod()
  const run = await up()
  expect(run).toSucceed()
  expect(run.stderr).toContain(`mode ipvs, excludeCIDRs has ${address}/32, restarted on 1 node`)
  expect(await proxy.pod()).not.toBe(before)
  const wanted = proxy.data['config.conf'].replace('excludeCIDRs: null', `excludeCIDRs: ["${address}/32"]`)
  expect(await proxy.settings()).toEqual({ ...proxy.data, 'config.conf': wanted })
  await proxy.isUp()
  expect(await proxy.excluded()).toEqual([`${address}/32`])
})

test('kube-proxy goes through the table, and the virtual server stays', async () => {
  await kubectl('host', 'create service clusterip for-the-table --tcp=80:80 --clusterip=10.96.44.44')
  await eventually(120, async () => expect(await rules()).toContain('10.96.44.44:80'))
  await kubectl('host', 'delete service for-the-table')
  await eventually(120, async () => expect(await rules()).not.toContain('10.96.44.44:80'))
  expect(await rules()).toContain(`-A -t ${address}:6443`)
  const { nodes, warnings } = JSON.parse((await vip('status -o json')).stdout)
  expect(nodes[0].report.table.flushes).toBe(0)
  expect(warnings).toEqual([])
})

test('up again: nothing to do', async () => {
  expect((await up()).stderr).toContain('Nothing to do')
})

test('a kube-proxy older than its settings, as an interrupted run leaves it, is restarted', async () => {
  const before = await proxy.pod()
  await kubectl(
    'host',
    '-n kube-system annotate configmap kube-proxy karmada-net.io/test=1 --field-manager=kubectl-karmada-net',
  )
  expect((await vip('status')).stderr).toContain('does not know that yet on vm1')
  expect((await up()).stderr).toContain('restarted on 1 node')
  expect(await proxy.pod()).not.toBe(before)
  await kubectl('host', '-n kube-system annotate configmap kube-proxy karmada-net.io/test-')
})

test('settings that somebody put back are told by verify, and put right', async () => {
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-proxy', namespace: 'kube-system' } }
  await kubectl('host', 'apply --server-side --force-conflicts -f -', { ...map, data: proxy.data })
  const verify = await vip('verify')
  expect(verify.code).toBe(1)
  expect(verify.stdout).toContain(`mode ipvs without ${address}/32 in excludeCIDRs`)
  expect((await up()).stderr).toContain('restarted on 1 node')
  expect((await proxy.settings())['config.conf']).toContain(`["${address}/32"]`)
})

test('--repoint kube-proxy is refused where the agent of a new node could not begin without it', async () => {
  expect(await vip('up --repoint kube-proxy')).toFailWith('kube-proxy would wait for the agent', {
    hint: `--static-server ${sandbox.apiServer(1).address}:6443`,
  })
})

test('--repoint kube-proxy: it hears of Services by the virtual IP', async () => {
  const servers = [1, 2, 3].map(number => `--static-server ${sandbox.apiServer(number).address}:6443`)
  const run = await vip(`up --repoint kube-proxy ${servers.join(' ')}`)
  expect(run).toSucceed()
  expect(run.stderr).toContain(
    `https://${sandbox.apiServer(1).address}:6443 -> https://${address}:6443, restarted on 1`,
  )
  expect((await proxy.settings())['kubeconfig.conf']).toContain(`server: https://${address}:6443\n`)
  await kubectl('host', 'create service clusterip by-the-vip --tcp=80:80 --clusterip=10.96.44.45')
  await eventually(180, async () => expect(await rules()).toContain('10.96.44.45:80'))
  await kubectl('host', 'delete service by-the-vip')
})

test('down: its settings are as they were, byte for byte', async () => {
  const down = await vip('down')
  expect(down).toSucceed()
  expect(down.stderr).toContain(`${address}/32 is out of excludeCIDRs`)
  expect(await proxy.settings()).toEqual(proxy.data)
  expect(
    await kubectl('host', '-n kube-system get configmap kube-proxy -o jsonpath={.metadata.annotations}'),
  ).not.toContain('karmada-net.io/')
})
