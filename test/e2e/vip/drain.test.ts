import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'
import { failures, underLoad } from './under-load.ts'

const world = await openWorld()
const { karmadaNet, kubectl, sandbox } = world
const address = '198.18.0.1'
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 400_000 })
const server = (number: number) => `${sandbox.apiServer(number).address}:6443`

/** In the kernel of the node: the weight of each API server. */
async function weights(): Promise<Record<string, string>> {
  const { stdout } = await sandbox.vm('vm1').exec(['ipvsadm', '-S', '-n'])
  const lines = stdout.matchAll(new RegExp(`^-a -t ${address}:6443 -r (\\S+) -m -w (\\d+)`, 'gm'))
  return Object.fromEntries([...lines].map(([, at = '', weight = '']) => [at, weight]))
}

const drained = async (): Promise<string[]> =>
  JSON.parse(await kubectl('host', '-n kube-system get cm karmada-net-vip -o jsonpath={.data.settings\\.json}')).drained

const podsOfVerify = () => kubectl('host', '-n kube-system get pods -l app.kubernetes.io/component=vip-verify -o name')

beforeAll(async () => {
  expect(await vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1`)).toSucceed()
})
afterAll(() => vip('down'))

test('verify: node and pod reach every API server, and no pod is left', async () => {
  const metadata = { name: 'kube-proxy', namespace: 'kube-system' }
  const data = { 'config.conf': `mode: ipvs\nipvs: {excludeCIDRs: [${address}/32]}\n` }
  await kubectl('host', 'apply -f -', JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }))
  const verify = await vip('verify -o json')
  await kubectl('host', '-n kube-system delete cm kube-proxy')
  expect(verify).toSucceed()
  const { groups, errors } = JSON.parse(verify.stdout) as {
    groups: { title: string; checks: { id: string; status: string; detail?: string }[] }[]
    errors: number
  }
  expect(errors).toBe(0)
  expect(groups.map(({ title }) => title)).toEqual(['vm1', 'kube-proxy'])
  const detail = (id: string) => groups[0]?.checks.find(check => check.id === id)?.detail
  for (const number of [1, 2, 3]) expect(detail('host')).toContain(server(number))
  expect(detail('certificates')).toContain(`for ${address}`)
  expect(detail('pod')).toMatch(/^6 connections, .*to /)
  expect(groups[1]?.checks[0]?.detail).toBe(`mode ipvs, leaves ${address}/32 alone`)
  await eventually(60, async () => expect(await podsOfVerify()).toBe(''))
})

test('verify: a node that it is not on', async () => {
  expect(await vip('verify vm2')).toFailWith('on no node "vm2"', { hint: 'did you mean vm1?' })
})

test('drain: what is not an API server is said, and nothing changes', async () => {
  expect(await vip('drain 198.18.0.99')).toFailWith('no API server "198.18.0.99"')
  expect(await vip(`drain ${server(2)} --dry-run=server`)).toSucceed()
  expect((await vip(`drain ${server(2)} --dry-run=client -o yaml`)).stdout).toContain(server(2))
  expect(await drained()).toEqual([])
})

test('drain and undrain: the kernel has it when the command ends; again there is nothing to do', async () => {
  const drain = await vip(`drain ${sandbox.apiServer(2).address}`)
  expect(drain).toSucceed()
  expect(await weights()).toEqual({ [server(1)]: '1', [server(2)]: '0', [server(3)]: '1' })
  expect((await vip(`drain ${server(2)}`)).stderr).toContain('Nothing to do')

  expect(await vip(`undrain ${server(2)}`)).toSucceed()
  expect(await weights()).toEqual({ [server(1)]: '1', [server(2)]: '1', [server(3)]: '1' })
  expect((await vip(`undrain ${server(2)}`)).stderr).toContain('Nothing to do')
})

test('two at once: neither loses the entry of the other; the last one is refused', async () => {
  const both = await Promise.all([vip(`drain ${server(1)}`), vip(`drain ${server(2)}`)])
  for (const each of both) expect(each).toSucceed()
  expect(await drained()).toEqual([server(1), server(2)])
  expect(await vip(`drain ${server(3)}`)).toFailWith('is the last API server that is up for vm1', { hint: '--force' })

  const back = await Promise.all([vip(`undrain ${server(1)}`), vip(`undrain ${server(2)}`)])
  for (const each of back) expect(each).toSucceed()
  expect(await drained()).toEqual([])
})

test('one API server after the other is drained, restarted and back: no request fails', async () => {
  const ca = sandbox.host.path('/etc/kubernetes/pki/ca.crt')
  const tally = await underLoad(world, { host: address }, async () => {
    // The first last: kubelet, which was not told of the virtual IP, knows no other.
    for (const number of [2, 3, 1]) {
      const api = sandbox.apiServer(number)
      expect(await vip(`drain ${api.address}`)).toSucceed()
      // Whoever watches keeps it from ending: kubelet, too, waits 30 s for a static pod.
      await api.stop().catch(() => api.stop('SIGKILL'))
      await api.start()
      await eventually(180, async () => {
        const { stdout } = await sandbox.exec(['curl', '-sS', '--cacert', ca, `https://${api.address}:6443/readyz`])
        expect(stdout).toBe('ok')
      })
      expect(await vip(`undrain ${api.address}`)).toSucceed()
    }
  })
  expect(failures(tally)).toEqual([])
})
