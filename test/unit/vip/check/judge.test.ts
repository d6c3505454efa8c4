import { describe, expect, test } from 'vitest'
import { judgeLooks, summary } from '../../../../src/vip/check/judge.ts'
import type { NodeLook } from '../../../../src/vip/check/look.ts'
import { checkPod, sameEverywhere } from '../../../../src/vip/check/pods.ts'
import { answerOf } from '../../../../src/vip/pod-run.ts'
import { readSettings } from '../../../../src/vip/settings.ts'

const settings = (more: object = {}) => readSettings(JSON.stringify({ vip: '198.18.0.1', port: 6443, ...more }))

const look = (more: Partial<NodeLook> = {}): NodeLook => ({
  kernel: '6.1.0-56-amd64',
  modules: { ip_vs: 'loadable', ip_vs_rr: 'loadable', ip_vs_lc: 'loaded', ip_vs_wlc: 'loadable', ip_vs_mh: 'missing' },
  locked: false,
  ours: false,
  listens: false,
  statusTaken: false,
  local: false,
  networks: [],
  routed: [],
  boot: 'systemd',
  ...more,
})

const judge = (found: NodeLook | string, more: object = {}) => judgeLooks(new Map([['n1', found]]), settings(more))
const none = { ip_vs: 'missing' } as const
const sysctls = (error: string) => ({
  names: ['net.ipv4.vs.conntrack', 'net.ipv4.vs.expire_nodest_conn'],
  error,
})

test('a node that can have it', () => {
  expect(judge(look())).toEqual([])
  expect(judge(look({ modules: { ip_vs: 'loaded', ip_vs_lc: 'unknown' } }))).toEqual([])
  expect(judge(look({ locked: true, modules: { ip_vs: 'loaded', ip_vs_lc: 'loaded' } }))).toEqual([])
  expect(judge(look({ selinux: 'enforcing', boot: 'none' }))).toEqual([])
})

test.each<[Partial<NodeLook>, string, string]>([
  [{ modules: none }, 'no IPVS: kernel 6.1.0-56-amd64 has no module ip_vs', 'modprobe ip_vs'],
  [
    { modules: { ip_vs: 'unknown' } },
    'no IPVS: module ip_vs is not loaded, and there is no list of modules of kernel 6.1.0-56-amd64',
    'modprobe ip_vs',
  ],
  [
    { locked: true },
    'ip_vs cannot be loaded any more: kernel.modules_disabled is 1',
    "printf '%s\\n' ip_vs >/etc/modules-load.d/ip_vs.conf && reboot",
  ],
  [
    { modules: { ip_vs: 'loaded', ip_vs_lc: 'missing', ip_vs_rr: 'missing', ip_vs_wlc: 'loadable' } },
    'kernel 6.1.0-56-amd64 has no scheduler lc (module ip_vs_lc)',
    '--scheduler wlc',
  ],
  [{ ipvsadm: 'ipvsadm is not there' }, 'in the image: ipvsadm is not there', 'leave out --image'],
  [{ table: 'EACCES' }, '/proc/net/ip_vs cannot be read: permission denied', 'dmesg | grep -i denied'],
  [
    { table: 'EACCES', selinux: 'enforcing' },
    '/proc/net/ip_vs cannot be read: permission denied by SELinux, which is enforcing',
    'ausearch -m avc -ts recent',
  ],
  [
    { server: { scheduler: 'rr', realServers: 2 } },
    "somebody else's virtual server has 198.18.0.1:6443 already (rr, 2 real servers)",
    'ipvsadm -D -t 198.18.0.1:6443',
  ],
  [{ listens: true }, 'something listens on 198.18.0.1:6443', "ss -ltnp 'src 198.18.0.1:6443'"],
  [{ local: true }, '198.18.0.1 is an address of the node already', 'ip address'],
  [{ statusTaken: true }, 'something listens on port 9819, on which the agent is asked', "ss -ltnp 'sport = :9819'"],
  [
    { networks: ['198.18.0.0/20'], routed: ['198.18.0.0/15'] },
    '198.18.0.1 lies in a network of the node, 198.18.0.0/20: it would answer for it there',
    '--vip ',
  ],
  [{ routed: ['198.18.0.0/15'] }, '198.18.0.1 lies in 198.18.0.0/15, to which the node has a route', '--vip '],
  [
    { sysctls: sysctls('EROFS') },
    'net.ipv4.vs.conntrack, net.ipv4.vs.expire_nodest_conn cannot be set in /proc/sys: it is read-only',
    'sysctl -w net.ipv4.vs.conntrack=1 net.ipv4.vs.expire_nodest_conn=1',
  ],
  [
    { sysctls: sysctls('EACCES'), selinux: 'enforcing' },
    'net.ipv4.vs.conntrack, net.ipv4.vs.expire_nodest_conn cannot be set in /proc/sys: permission denied by SELinux, which is enforcing',
    'ausearch -m avc',
  ],
])('%j', (more, text, hint) => {
  const [objection, ...others] = judge(look(more))
  expect(others).toEqual([])
  expect(objection?.text).toBe(`n1: ${text}`)
  expect(objection?.hint).toContain(hint)
})

test('IPv6: where one looks for it', () => {
  const [objection] = judge(look({ listens: true }), { vip: 'fd00:6b6e::1' })
  expect(objection?.text).toContain('something listens on [fd00:6b6e::1]:6443')
})

test('what an earlier installation of ours has is no objection', () => {
  const ours = look({ ours: true, server: { scheduler: 'lc', realServers: 3 }, local: true, statusTaken: true })
  expect(judge(ours)).toEqual([])
})

test('a hundred nodes with the same trouble are one line', () => {
  const names = Array.from({ length: 100 }, (_, index) => `n${String(index).padStart(3, '0')}`)
  const looks = new Map<string, NodeLook | string>(names.map(name => [name, look({ modules: none })]))
  looks.set('n007', 'its image cannot be had: not found')
  looks.set('n000', look({ modules: none, listens: true }))
  expect(judgeLooks(looks, settings()).map(({ text }) => text)).toEqual([
    'n000, n001, n002, n003, n004 and 94 more: no IPVS: kernel 6.1.0-56-amd64 has no module ip_vs',
    'n000: something listens on 198.18.0.1:6443',
    'n007: could not be looked at: its image cannot be had: not found',
  ])
})

describe('a node that could not be looked at', () => {
  test.each([
    [
      'it cannot be started: failed to create containerd task: OCI runtime create failed: container init caused: failed to set /proc/self/attr/keycreate on procfs: write /proc/self/attr/keycreate: invalid argument: unknown',
      'container-selinux',
    ],
    ['its image cannot be had: failed to pull and unpack image: not found', '--image-registry'],
    ['pods "karmada-net-vip-check" is forbidden: violates PodSecurity "baseline:latest": host namespaces', '--force'],
    [
      'its pod does not come to its end in 90s: FailedMount: hostPath type check failed: /lib is not a directory',
      '--nodes',
    ],
  ])('%s', (why, hint) => {
    const [objection] = judge(why)
    expect(objection?.text).toBe(`n1: could not be looked at: ${why}`)
    expect(objection?.hint).toContain(hint)
  })

  test('says what its pod said', () => {
    const ended = (phase: string, terminated: object) =>
      ({ status: { phase, containerStatuses: [{ state: { terminated } }] } }) as unknown as Parameters<
        typeof answerOf
      >[0]
    expect(answerOf(ended('Succeeded', { message: JSON.stringify(look()) }))).toEqual(look())
    expect(() => answerOf(ended('Failed', { reason: 'Error', message: 'error: no such verb: "check"\n' }))).toThrow(
      /^no such verb: "check"$/,
    )
    expect(() => answerOf(ended('Failed', { reason: 'StartError', message: 'exec: node: not found' }))).toThrow(
      'it cannot be started: exec: node: not found',
    )
    expect(() => answerOf(ended('Failed', {}))).toThrow('said nothing')
    expect(() => answerOf(ended('Succeeded', {}))).toThrow('said nothing')
  })
})

test('two nodes with the same trouble say the same', () => {
  const said = (node: number) =>
    `pod karmada-net-vip-check-${node}ab: lookup registry.invalid on 127.0.0.1:53: read udp 127.0.0.1:3421${node}->127.0.0.1:53: read: connection refused`
  expect(sameEverywhere(said(1), 'karmada-net-vip-check-1ab')).toBe(
    sameEverywhere(said(2), 'karmada-net-vip-check-2ab'),
  )
})

test('what nodes have in common', () => {
  const looks = new Map<string, NodeLook | string>([
    ['a', look()],
    ['b', look({ kernel: '5.14.0', boot: 'none' })],
    ['c', 'its image cannot be had'],
  ])
  expect(summary(looks)).toBe('2 nodes: kernel 5.14.0, 6.1.0-56-amd64; without systemd: b')
})

test('the pod goes straight to its node, with the flags of the settings', () => {
  const pod = checkPod({ settings: settings({ statusPort: 9820 }), asked: { nodes: [], image: 'i:1' } }, 'n1', 'ab')
  expect(pod.metadata.name).toBe('karmada-net-vip-check-ab')
  expect(pod.spec).toMatchObject({ nodeName: 'n1', hostNetwork: true, restartPolicy: 'Never' })
  const [container] = pod.spec.containers
  expect(container?.image).toBe('i:1')
  expect(container?.securityContext?.privileged).toBeUndefined()
  expect(container?.args).toEqual([
    '--root=/host',
    '--out=/dev/termination-log',
    '--vip=198.18.0.1',
    '--port=6443',
    '--status-port=9820',
  ])
})
