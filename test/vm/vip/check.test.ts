import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleAgents } from '../../../src/build/agents.ts'
import { judgeLooks } from '../../../src/vip/check/judge.ts'
import type { NodeLook } from '../../../src/vip/check/look.ts'
import { readSettings } from '../../../src/vip/settings.ts'
import { bootVm, type Vm } from '../boot.ts'
import { makeSegment, type Segment } from '../segment.ts'
import { ipv4, ipv6, node, patience } from './world.ts'

let vm: Vm
beforeAll(async () => {
  vm = await bootVm()
  const text = (await bundleAgents()).find(({ name }) => name === 'vip')?.text ?? ''
  await vm.exec(['sh', '-c', 'cat >/run/vip.cjs'], { input: text })
})
afterAll(() => vm?.[Symbol.asyncDispose]())

const isLoaded = async () => (await vm.exec(['cat', '/proc/modules'])).stdout.includes('\nip_vs ')

describe.each([ipv4, ipv6])('a look at a node, $family', ({ family, vip, node: address, prefix }) => {
  const name = `c${family.slice(-1)}`
  const six = family === 'ipv6'
  const ip = six ? 'ip -6' : 'ip'
  let lan: Segment
  const sh = (script: string) => lan.exec(name, ['sh', '-ec', script])
  /** Before: a shell command in the same mount namespace. */
  async function look(before = ':', path = '$PATH'): Promise<NodeLook> {
    const command = `${vm.hostPath(node)} /run/vip.cjs check --vip=${vip} --port=6443 --status-port=9819`
    const script = `${before}; PATH=${path} exec ${command}`
    const { stdout } = await lan.exec(name, ['unshare', '--mount', 'sh', '-ec', script], {
      timeoutMs: patience.timeout,
    })
    return JSON.parse(stdout) as NodeLook
  }
  const judge = (found: NodeLook) =>
    judgeLooks(new Map([['n', found]]), readSettings(JSON.stringify({ vip, port: 6443 }))).map(({ text }) => text)

  beforeAll(async () => {
    lan = await makeSegment(vm, `lan${name}`, { [name]: [`${address}/${prefix}`] })
    await sh(`${ip} route add default via ${address.replace(/\d+$/, '1')}`)
  })

  // Whatever has been asked of the kernel before: only once can it be new.
  if (!six) {
    test('the kernel could load IPVS, and is not made to', async () => {
      expect(await isLoaded()).toBe(false)
      const found = await look()
      expect(found.modules).toMatchObject({ ip_vs: 'loadable', ip_vs_lc: 'loadable', ip_vs_mh: 'loadable' })
      expect(found).not.toHaveProperty('ipvsadm')
      expect(judge(found)).toEqual([])
      expect(await isLoaded()).toBe(false)
    })

    test('without ipvsadm', async () => {
      expect(judge(await look(':', '/run'))).toEqual(['n: in the image: ipvsadm is not there'])
      await vm.exec(['modprobe', 'ip_vs'])
      expect((await look()).modules).toMatchObject({ ip_vs: 'loaded' })
      expect(judge(await look(':', '/run'))).toEqual([expect.stringContaining('n: in the image: ipvsadm is not there')])
    })

    test('sysctls that cannot be set', async () => {
      const readOnly = 'mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys'
      expect(judge(await look(readOnly))).toEqual([
        'n: net.ipv4.vs.conntrack, net.ipv4.vs.expire_nodest_conn, net.ipv4.vs.expire_quiescent_template cannot be set in /proc/sys: it is read-only',
      ])
      const all = ['conntrack', 'expire_nodest_conn', 'expire_quiescent_template'].map(one => `net.ipv4.vs.${one}=1`)
      await sh(`sysctl -q ${all.join(' ')}`)
      expect(judge(await look(readOnly))).toEqual([])
    })
  }

  test("somebody else's virtual server, listeners, and an address", async () => {
    const endpoint = six ? `[${vip}]:6443` : `${vip}:6443`
    await sh(`ipvsadm -A -t ${endpoint} -s rr`)
    await sh(`${ip} addr add ${vip}/${six ? 128 : 32} dev lo${six ? ' nodad' : ''}`)
    const listen = `for (const at of [[6443, '${vip}'], [9819]]) require('node:net').createServer().listen(...at)`
    await lan.start(name, [vm.hostPath(node), '-e', listen])
    await expect
      .poll(async () => judge(await look()), patience)
      .toEqual([
        `n: somebody else's virtual server has ${endpoint} already (rr, 0 real servers)`,
        `n: something listens on ${endpoint}`,
        `n: ${vip} is an address of the node already`,
        'n: something listens on port 9819, on which the agent is asked',
      ])
    const settings = JSON.stringify({ vip, port: 6443 })
    const remember = `mkdir -p /var/lib/karmada-net/vip; echo '${settings}' >/var/lib/karmada-net/vip/settings.json`
    expect(judge(await look(`mount -t tmpfs tmpfs /var/lib; ${remember}`))).toEqual([])
    await sh(`ipvsadm -C; ${ip} addr del ${vip}/${six ? 128 : 32} dev lo`)
  })

  test('networks of its interfaces and of its routes, whatever their size', async () => {
    const [near, network, route] = six
      ? ['fd00::ff:1/104', 'fd00::/104', 'fd00::/40']
      : ['198.18.15.1/20', '198.18.0.0/20', '198.18.0.0/15']
    await sh(`${ip} route add ${route} via ${address.replace(/\d+$/, '1')}`)
    const others = judge(await look()).filter(text => !text.includes('listens'))
    expect(others).toEqual([`n: ${vip} lies in ${route}, to which the node has a route`])
    await sh(`${ip} addr add ${near} dev eth0${six ? ' nodad' : ''}`)
    expect(judge(await look()).filter(text => !text.includes('listens'))).toEqual([
      `n: ${vip} lies in a network of the node, ${network}: it would answer for it there`,
    ])
  })
})
