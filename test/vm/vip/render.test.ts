import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { routeArgs } from '../../../src/vip/node/route.ts'
import { nodeFolder } from '../../../src/vip/render/folder.ts'
import { settingsFrom } from '../../../src/vip/render/settings.ts'
import { writeFolder } from '../../../src/vip/render/write.ts'
import { bootVm, type Vm } from '../boot.ts'

/** The processor is simulated, and the machine may be busy with other things: patience, in milliseconds. */
vi.setConfig({ testTimeout: 400_000 })

let vm: Vm
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vip-render-'))
  vm = await bootVm()
  await shell(prepare)
}, 300_000)
afterAll(async () => {
  await vm?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const shell = async (script: string, ...args: string[]) => (await vm.exec(['sh', '-ec', script, 'sh', ...args])).stdout

/** There is no systemd in this one: what it would do when it is told to (test/e2e/vip has the real one). */
const systemctl = `#!/bin/sh
link=/etc/systemd/system/multi-user.target.wants/karmada-net-vip.service
case $1 in
  enable) mkdir -p "$(dirname $link)" && ln -sf /etc/systemd/system/karmada-net-vip.service $link ;;
  restart) exec sh /opt/karmada-net/vip/restore ;;
  is-enabled) [ -e $link ] ;;
esac
`
const prepare = `
mkdir -p /run/systemd/system /run/karmada-net/bin /etc/systemd/system/multi-user.target.wants /etc/modules-load.d
cat >/run/karmada-net/bin/systemctl <<'END'
${systemctl}END
chmod +x /run/karmada-net/bin/systemctl
modprobe ip_vs
ip link add uplink type dummy
ip addr add 192.168.10.10/24 dev uplink
ip addr add fd10::10/64 dev uplink nodad
ip link set uplink up
`

/** Everything that the virtual IP may change. */
const snapshot = () =>
  shell(`find /etc/systemd /etc/modules-load.d /etc/sysctl.d /opt/karmada-net /var/lib/karmada-net -printf '%p %M %l\n' 2>/dev/null | sort
grep . /proc/sys/net/ipv4/vs/*
ipvsadm -S -n
ip route show table local; ip -6 route show table local`)
const table = async () => (await shell('ipvsadm -S -n')).trim().split('\n').sort()

async function put(vip: string, servers: string[], more: { scheduler?: 'mh' | 'rr' } = {}): Promise<void> {
  const given = { vip, servers: servers.join(), port: undefined, scheduler: more.scheduler, tlsServerName: undefined }
  const rendered = await mkdtemp(join(folder, 'vip-'))
  await writeFolder(rendered, nodeFolder(settingsFrom(given)), false)
  await shell('rm -rf /run/vip; cp -r "$1" /run/vip', vm.hostPath(rendered))
}
const install = () => vm.attempt(['sh', '/run/vip/install.sh'])
const uninstall = (...args: string[]) => vm.attempt(['sh', '/run/vip/uninstall.sh', ...args])

describe.each([
  {
    vip: '198.18.0.1',
    service: '198.18.0.1:6443',
    source: '192.168.10.10',
    of: (last: number) => `192.168.10.${last}:6443`,
  },
  { vip: 'fd00::1', service: '[fd00::1]:6443', source: 'fd10::10', of: (last: number) => `[fd10::${last}]:6443` },
])('$vip', ({ vip, service, source, of }) => {
  test('is there after install.sh, again changes nothing, and after uninstall.sh the node is as it was', async () => {
    await put(vip, [of(1), of(2)])
    const before = await snapshot()
    const first = await install()
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain(`${service} leads to ${of(1)} ${of(2)}, from ${source}. Each boot`)
    expect(await table()).toEqual([
      `-A -t ${service} -s lc`,
      ...[1, 2].map(last => `-a -t ${service} -r ${of(last)} -m -w 1`),
    ])
    expect(await shell('ip -o route get "$1"', vip)).toMatch(new RegExp(`^local .* src ${source} `))
    expect(await shell('cat /proc/sys/net/ipv4/vs/conntrack')).toBe('1\n')
    // The agent, later, finds what it would have written.
    expect(await shell('cat /var/lib/karmada-net/vip/route')).toBe(`${routeArgs(vip, source).join(' ')}\n`)

    const there = await snapshot()
    const nothing = `Nothing to do: ${service} leads to ${of(1)} ${of(2)}, from ${source}.\n`
    expect(await install()).toEqual({ code: 0, stdout: nothing, stderr: '' })
    expect(await snapshot()).toBe(there)

    expect(await uninstall()).toEqual({ code: 0, stdout: `Nothing is left of ${service}.\n`, stderr: '' })
    expect(await snapshot()).toBe(before)
    expect(await uninstall()).toMatchObject({ code: 0, stderr: '' })
  })
})

test('another list is followed, and what somebody changed is mended', async () => {
  const vip = '198.18.0.1'
  const service = `${vip}:6443`
  const of = (last: number) => `192.168.10.${last}:6443`
  const server = (last: number) => `-a -t ${service} -r ${of(last)} -m -w 1`
  await put(vip, [of(1), of(2)], { scheduler: 'mh' })
  expect(await install()).toMatchObject({ code: 0, stderr: '' })
  expect(await install()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to do/) })
  await put(vip, [of(2), of(3)], { scheduler: 'rr' })
  // By hand: out of service.
  await shell('ipvsadm -e -t "$1" -r "$2" -m -w 0', service, of(2))
  expect(await install()).toMatchObject({ code: 0, stderr: '' })
  expect(await table()).toEqual([`-A -t ${service} -s rr`, server(2), server(3)])
  await shell('ipvsadm -C; ip route del local "$1" dev lo', vip)
  const mended = await install()
  expect(mended).toMatchObject({ code: 0, stderr: '' })
  expect(mended.stdout).not.toContain('Nothing to do')
  expect(await table()).toEqual([`-A -t ${service} -s rr`, server(2), server(3)])
  expect(await uninstall()).toMatchObject({ code: 0, stderr: '' })
})

describe('refused, and nothing is changed:', () => {
  const refused = async (error: string | RegExp, run = install) => {
    const before = await snapshot()
    const { code, stderr } = await run()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: .*\nhint: .*\n$/)
    expect(stderr).toMatch(error)
    expect(await snapshot()).toBe(before)
  }

  test.each([
    ["the node's own address", '192.168.10.10', /is an address of this node already: .*uplink/],
    ["an address of the node's network", '192.168.10.77', /lies in a network of this node/],
  ])('%s', async (_, vip, error) => {
    await put(vip, ['192.168.10.1:6443'])
    await refused(error)
  })

  test('API servers that no route leads to', async () => {
    await put('198.18.0.1', ['172.16.9.9:6443'])
    await refused('this node has no route to any of 172.16.9.9:6443')
  })

  test("somebody else's virtual server", async () => {
    await shell('ipvsadm -A -t 198.18.0.1:6443 -s rr')
    await put('198.18.0.1', ['192.168.10.1:6443'])
    await refused('somebody else has a virtual server 198.18.0.1:6443')
    await shell('ipvsadm -D -t 198.18.0.1:6443')
  })

  test('another address while there is one, an agent that looks after it, and clients that need it', async () => {
    await put('198.18.0.1', ['192.168.10.1:6443'])
    expect(await install()).toMatchObject({ code: 0 })
    await put('198.18.0.9', ['192.168.10.1:6443'])
    await refused('this node has the virtual IP 198.18.0.1:6443: it cannot move')

    await put('198.18.0.1', ['192.168.10.1:6443'])
    await shell('mkdir -p /etc/kubernetes; echo "server: https://198.18.0.1:6443" >/etc/kubernetes/kubelet.conf')
    await refused('still in use: /etc/kubernetes/kubelet.conf', uninstall)
    await shell('rm /etc/kubernetes/kubelet.conf; mkdir /opt/karmada-net/vip/bin')
    await refused('the agent of "vip up" keeps', uninstall)
    await refused('the agent of "vip up" keeps')
    expect(await uninstall('--force')).toMatchObject({ code: 0, stderr: '' })
    expect(await table()).toEqual([''])
  })
})
