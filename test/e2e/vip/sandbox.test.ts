import { beforeAll, expect, test } from 'vitest'
import { openSandbox, type Sandbox } from '../../sandbox/index.ts'
import type { VmNode } from '../../sandbox/vm-node.ts'
import { eventually } from '../plugin.ts'

const vip = '198.18.0.1'
let sandbox: Sandbox
let vm: VmNode
beforeAll(async () => {
  sandbox = await openSandbox()
  vm = sandbox.vm('vm1')
})

const kubectl = async (...args: string[]): Promise<string> =>
  (await sandbox.exec(['kubectl', '--context', 'host', ...args])).stdout
const nodeIsReady = () =>
  eventually(240, async () =>
    expect(await kubectl('get', 'node', 'vm1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')).toBe(
      'True',
    ),
  )
const servers = () => [1, 2, 3].map(number => sandbox.apiServer(number))

test('the cluster knows three API servers, and each answers to the virtual address', async () => {
  const addresses = servers().map(({ address }) => address)
  await eventually(180, async () => {
    const listed = await kubectl('get', 'endpointslice', 'kubernetes', '-o', 'jsonpath={.endpoints[*].addresses[0]}')
    expect(listed.split(' ').sort()).toEqual(addresses)
  })
  for (const address of addresses) {
    const trusted = [
      '-CAfile',
      sandbox.host.path('/etc/kubernetes/pki/ca.crt'),
      '-verify_return_error',
      '-verify_ip',
      vip,
    ]
    const { stdout } = await sandbox.exec(['openssl', 's_client', '-connect', `${address}:6443`, ...trusted], {
      input: '',
    })
    expect(stdout).toContain('Verification: OK')
  }
})

test('a pod on the node in the virtual machine runs and answers', async () => {
  await nodeIsReady()
  const override = JSON.stringify({ spec: { nodeName: 'vm1', terminationGracePeriodSeconds: 0 } })
  await kubectl('delete', 'pod', 'hello', '--ignore-not-found')
  await kubectl(
    'run',
    'hello',
    '--image=docker.io/library/busybox:1.36',
    `--overrides=${override}`,
    '--',
    'sleep',
    '1d',
  )
  await kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=180s')
  expect(await kubectl('exec', 'hello', '--', 'hostname')).toBe('hello\n')
  await kubectl('delete', 'pod', 'hello')
})

test('a virtual address on the node reaches all three API servers', async () => {
  const lines = [
    `-A -t ${vip}:6443 -s rr`,
    ...servers().map(({ address }) => `-a -t ${vip}:6443 -r ${address}:6443 -m -w 1`),
  ]
  await vm.exec(['ip', 'route', 'replace', 'local', `${vip}/32`, 'dev', 'lo', 'src', vm.address])
  await vm.attempt(['ipvsadm', '-D', '-t', `${vip}:6443`])
  await vm.exec(['ipvsadm', '-R'], { input: `${lines.join('\n')}\n` })
  const ask = [
    'kubectl',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--server=https://${vip}:6443`,
    'get',
    '--raw',
    '/readyz',
  ]
  // A client may open more than one connection for a request.
  await eventually(240, async () => {
    expect((await vm.exec(ask)).stdout).toBe('ok')
    const { stdout } = await vm.exec(['ipvsadm', '-Ln', '--stats'])
    for (const { address } of servers()) expect(stdout).toMatch(new RegExp(`${address}:6443 +[1-9]`))
  })
})

test('an API server that is black-holed, refuses, is paused or stopped is so for the node, until that ends', async () => {
  const server = sandbox.apiServer(2)
  const url = `https://${server.address}:6443/livez`
  const ask = async (): Promise<number> => (await vm.attempt(['curl', '-sk', '--max-time', '3', url])).code
  const answers = () => eventually(180, async () => expect(await ask()).toBe(0))
  await answers()
  await server.blackHole()
  expect(await ask()).toBe(28)
  await server.refuse()
  expect(await ask()).toBe(7)
  await server.heal()
  await answers()
  await server.pause()
  expect(await ask()).toBe(28)
  await server.resume()
  await answers()
  await server.stop()
  expect(await ask()).toBe(7)
  await server.start()
  await answers()
})

test('kube-proxy changes its mode on demand', async () => {
  const mode = async () => (await vm.exec(['curl', '-s', 'http://127.0.0.1:10249/proxyMode'])).stdout
  await vm.setKubeProxy({ mode: 'ipvs', excludeCIDRs: [`${vip}/32`] })
  await eventually(180, async () => expect(await mode()).toBe('ipvs'))
  await eventually(180, async () => expect((await vm.exec(['ipvsadm', '-Ln'])).stdout).toContain('10.96.0.1:443'))
  await vm.setKubeProxy({ mode: 'nftables' })
  await eventually(180, async () => expect(await mode()).toBe('nftables'))
})

test.each([{ hard: false }, { hard: true }])(
  'a reboot (hard: $hard) keeps what is in /etc, and the node comes back',
  async options => {
    const before = await vm.exec(['uptime', '--since'])
    await vm.exec(['sh', '-c', `echo kept-${options.hard} >/etc/karmada-net-test; sync`])
    await vm.reboot(options)
    expect(await vm.readFile('/etc/karmada-net-test')).toBe(`kept-${options.hard}\n`)
    expect(await vm.exec(['uptime', '--since'])).not.toEqual(before)
    await eventually(240, async () =>
      expect((await vm.exec(['systemctl', 'is-active', 'kubelet'])).stdout).toBe('active\n'),
    )
    await nodeIsReady()
  },
)
