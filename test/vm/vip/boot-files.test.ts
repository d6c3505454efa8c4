import { afterAll, beforeAll, expect, test } from 'vitest'
import { ownSpec } from '../../../src/build/image/own.ts'
import { routeArgs } from '../../../src/vip/node/route.ts'
import { freshLines } from '../../../src/vip/table/write.ts'
import { type UnpackedImage, unpackImage } from '../../setup/unpacked-image.ts'
import { bootVm, type Vm } from '../boot.ts'

let vm: Vm
let image: UnpackedImage

beforeAll(async () => {
  ;[vm, image] = await Promise.all([bootVm(), ownSpec().then(unpackImage)])
  await shell(prepare, vm.hostPath(image.root))
}, 300_000)
afterAll(() => Promise.all([vm?.[Symbol.asyncDispose](), image?.[Symbol.asyncDispose]()]))

const shell = async (script: string, ...args: string[]) => (await vm.exec(['sh', '-ec', script, 'sh', ...args])).stdout

/** The image as the init container has it: the node's folders below /host. And a host that has nothing of its own but a shell. */
const prepare = `
mkdir -p /run/image.upper /run/image.work /run/image /run/systemd/system
mount -t overlay -o "lowerdir=$1,upperdir=/run/image.upper,workdir=/run/image.work" overlay /run/image
for folder in etc opt var/lib run proc/sys/net; do
  mkdir -p "/run/image/host/$folder"
  mount --bind "/$folder" "/run/image/host/$folder"
done
for folder in dev proc; do mkdir -p "/run/image/$folder" && mount --bind "/$folder" "/run/image/$folder"; done
modprobe ip_vs
mkdir -p /run/bare/bin /run/bare/dev /run/bare/proc /run/bare/opt /run/bare/var/lib
cp /bin/busybox /run/bare/bin/
for applet in sh cat sleep modprobe; do ln -s busybox "/run/bare/bin/$applet"; done
for folder in dev proc opt var/lib; do mount --bind "/$folder" "/run/bare/$folder"; done
ip link add uplink type dummy
ip addr add 192.168.10.10/24 dev uplink
ip link set uplink up
`

const vipJs = (...args: string[]) =>
  vm.attempt(['chroot', '/run/image', '/usr/local/bin/node', '/karmada-net/vip.js', ...args], {
    env: { PATH: '/usr/local/bin:/usr/sbin:/sbin' },
  })

/** Everything that the virtual IP may change. */
const snapshot = () =>
  shell(`find /etc /opt /var/lib -printf '%p %M %l\n' | sort
for each in /proc/sys/net/ipv4/vs/*; do echo "$each $(cat "$each")"; done
ipvsadm -S -n
ip route show table local`)

const table = {
  host: '198.18.0.1',
  port: 6443,
  scheduler: 'lc',
  realServers: [
    { host: '192.168.10.1', port: 6443, weight: 1 },
    { host: '192.168.10.2', port: 6443, weight: 1 },
  ],
} as const

test('a boot puts everything back with what was installed alone, and afterwards the node is as it was', async () => {
  const before = await snapshot()
  expect(await vipJs('install', '--root=/host')).toMatchObject({ code: 0, stderr: '' })
  const installed = await snapshot()
  expect(installed).toContain('/etc/systemd/system/multi-user.target.wants/karmada-net-vip.service')
  expect(installed).toContain('/proc/sys/net/ipv4/vs/conntrack 1')

  // As the agent leaves it.
  const rules = freshLines({ ...table, realServers: [...table.realServers] })
  const state = '/var/lib/karmada-net/vip'
  await vm.exec(['tee', `${state}/rules`], { input: rules.map(line => `${line}\n`).join('') })
  await vm.exec(['tee', `${state}/route`], { input: `${routeArgs(table.host, '192.168.10.10').join(' ')}\n` })
  await shell('echo 0 >/proc/sys/net/ipv4/vs/conntrack')

  const restore = () => vm.attempt(['chroot', '/run/bare', '/bin/sh', '/opt/karmada-net/vip/restore'])
  expect(await restore()).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await shell('ipvsadm -S -n')).toBe(rules.map(line => `${line}\n`).join(''))
  expect(await shell('ip route get 198.18.0.1')).toContain('src 192.168.10.10')
  expect(await shell('cat /proc/sys/net/ipv4/vs/conntrack')).toBe('1\n')
  // By hand, on a node where it runs already.
  expect(await restore()).toEqual({ code: 0, stdout: '', stderr: '' })

  const uninstall = () => vipJs('uninstall', '--root=/host', '--vip=198.18.0.1', '--port=6443')
  expect(await uninstall()).toMatchObject({ code: 0, stderr: '' })
  expect(await snapshot()).toBe(before)
  expect(await uninstall()).toMatchObject({ code: 0, stderr: '' })
}, 180_000)
