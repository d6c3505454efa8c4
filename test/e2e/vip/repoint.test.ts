import { readFile } from 'node:fs/promises'
import { dump } from 'js-yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'
import { nodeOf } from './node.ts'

const { karmadaNet, kubectl, sandbox, read } = await openWorld()
const address = '198.18.0.1'
const vm = sandbox.vm('vm1')
const servers = [1, 2, 3].map(number => sandbox.apiServer(number))
const { rules } = nodeOf(vm, address)
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 500_000 })
const up = (more = '') => vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1${more}`)
const file = '/etc/kubernetes/kubelet.conf'
const backup = `${file}.karmada-net-before`

/** Everything of the folder that kubelet's kubeconfig is in. */
const folder = async () => (await vm.exec(['sh', '-c', 'cd /etc/kubernetes; stat -c "%n %a %U" *; cat *.conf*'])).stdout
const leadsTo = async () => / server: (\S+)/.exec(await vm.readFile(file))?.[1]
const blocked = 'table ip no-vip { chain out { type filter hook output priority -300; ip daddr 198.18.0.1 drop; }; }'

/** As kubeadm makes it. */
async function clusterInfo() {
  const ca = await readFile(sandbox.host.path('/etc/kubernetes/pki/ca.crt'), 'base64')
  const cluster = { 'certificate-authority-data': ca, server: `https://${sandbox.apiServer(1).address}:6443` }
  const kubeconfig = dump({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: '', cluster }], contexts: null })
  return { kubeconfig }
}
const info = async () =>
  (await read<never>('host', '-n kube-public cm cluster-info')) as { data: object; metadata: object }

/** Microseconds since the boot; 0: not yet. */
const since = async (unit: string, property: string): Promise<number> =>
  Number((await vm.exec(['systemctl', 'show', unit, '--value', '-p', `${property}TimestampMonotonic`])).stdout)

let before: string
let data: { kubeconfig: string }
beforeAll(async () => {
  await vip('down')
  before = await folder()
  data = await clusterInfo()
  const metadata = { name: 'cluster-info', namespace: 'kube-public' }
  await kubectl('host', 'apply --server-side -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
})
afterAll(async () => {
  await vm.attempt(['nft', 'delete', 'table', 'ip', 'no-vip'])
  for (const server of servers) await server.heal()
  await vip('down')
  await kubectl('host', '-n kube-public delete cm cluster-info')
})

test('a client that is none is refused', async () => {
  expect(await up(' --repoint kubelets')).toFailWith('"kubelets" is no client', { hint: 'kubelet' })
})

test('a kubelet that does not become ready by it is put back, and the command stops', async () => {
  expect(await up()).toSucceed()
  await vm.exec(['nft', '-f', '-'], { input: blocked })
  expect(await up(' --repoint kubelet --timeout 60s')).toFailWith('vm1: kubelet did not become ready by it', {
    hint: 'journalctl',
  })
  await vm.exec(['nft', 'delete', 'table', 'ip', 'no-vip'])
  expect(await folder()).toBe(before)
})

test('up --repoint: kubelet and cluster-info lead to the virtual IP, with a copy of what was', async () => {
  const run = await up(' --repoint kubelet,cluster-info')
  expect(run).toSucceed()
  expect(run.stderr).toContain(`1 of 1 node by https://${address}:6443`)
  expect(await leadsTo()).toBe(`https://${address}:6443`)
  expect((await vm.exec(['stat', '-c', '%a', file, backup])).stdout).toBe('600\n600\n')
  expect(JSON.stringify(await info())).toContain(`server: https://${address}:6443`)
})

test('with no API server in reach rules are there before kubelet; it is Ready by them once there is one', async () => {
  const wanted = await rules()
  expect(wanted).toHaveLength(4)
  const [, , last] = servers
  try {
    for (const server of servers) await server.refuse()
    await vm.reboot()
    await eventually(240, async () => expect(await since('kubelet', 'ExecMainStart')).toBeGreaterThan(0))
    // kube-proxy empties the table when it starts.
    await eventually(60, async () => expect(await rules()).toEqual(wanted))
    const restored = await since('karmada-net-vip', 'ExecMainExit')
    expect(restored).toBeGreaterThan(0)
    expect(await since('kubelet', 'ExecMainStart')).toBeGreaterThan(restored)

    // There is no agent yet.
    await vm.exec(['ipvsadm', '-C'])
    await eventually(60, async () => expect(await rules()).toEqual(wanted))

    // One that kubelet did not know before it was moved.
    await last?.heal()
    const boot = (await vm.readFile('/proc/sys/kernel/random/boot_id')).trim()
    const words = `--server=https://${last?.address}:6443 get node vm1 -o json`
    await eventually(300, async () => {
      const { status } = JSON.parse(await kubectl('host', words))
      expect(status.nodeInfo.bootID).toBe(boot)
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }))
    })
    expect((await vm.exec(['ss', '-Htnp', 'dst', address])).stdout).toContain('kubelet')
  } finally {
    for (const server of servers) await server.heal()
  }
})

test('kubelet goes on by the others when its first API server is gone', async () => {
  const lease = `--server=https://${sandbox.apiServer(2).address}:6443 -n kube-node-lease get lease vm1`
  const renewed = async () => Date.parse(await kubectl('host', `${lease} -o jsonpath={.spec.renewTime}`))
  try {
    await sandbox.apiServer(1).stop('SIGKILL')
    const stopped = Date.now()
    // Twice: an answer that was on its way does not count.
    await eventually(180, async () => expect(await renewed()).toBeGreaterThan(stopped + 15_000))
  } finally {
    await sandbox.apiServer(1).start()
    await eventually(180, async () => expect(await kubectl('host', 'get --raw /readyz')).toBe('ok'))
  }
})

test('up --repoint again: nothing to do', async () => {
  await eventually(240, async () =>
    expect((await up(' --repoint kubelet,cluster-info')).stderr).toContain('Nothing to do'),
  )
})

test('down leaves a kubelet alone that uses the virtual IP by somebody else, and everything that it needs', async () => {
  const away = '/var/lib/kubelet.conf-before'
  await vm.exec(['mv', backup, away])
  expect(await vip('down')).toFailWith('these kubelets would lose their API servers: vm1', { hint: '--force' })
  expect((await vm.exec(['ipvsadm', '-S', '-n'])).stdout).toContain(`-A -t ${address}:6443`)
  await vm.exec(['mv', away, backup])
})

test('down: kubelet and cluster-info are as they were, byte for byte, and then the rules go', async () => {
  const down = await vip('down')
  expect(down).toSucceed()
  expect(await folder()).toBe(before)
  const { data: now, metadata } = await info()
  expect(now).toEqual(data)
  expect(JSON.stringify(metadata)).not.toContain('karmada-net.io/')
  expect((await vm.exec(['ipvsadm', '-S', '-n'])).stdout).not.toContain(address)
  await kubectl('host', 'wait --for=condition=Ready node/vm1 --timeout=120s')
})
