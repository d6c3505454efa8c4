import { expect, test } from 'vitest'
import { hostOf, networkOf } from '../../../../src/vip/address.ts'
import { moduleStates } from '../../../../src/vip/check/modules.ts'
import { covering, routedNetworks4, routedNetworks6 } from '../../../../src/vip/check/routes.ts'
import { listeners } from '../../../../src/vip/check/sockets.ts'

/** As Debian's kernel 6.1 has them. */
const dep = `kernel/net/netfilter/nf_conntrack.ko: kernel/net/ipv6/netfilter/nf_defrag_ipv6.ko kernel/lib/libcrc32c.ko
kernel/net/netfilter/xt_ipvs.ko: kernel/net/netfilter/ipvs/ip_vs.ko kernel/net/netfilter/nf_conntrack.ko
kernel/net/netfilter/ipvs/ip_vs.ko: kernel/net/netfilter/nf_conntrack.ko kernel/lib/libcrc32c.ko
kernel/net/netfilter/ipvs/ip_vs_lc.ko: kernel/net/netfilter/ipvs/ip_vs.ko
`
const builtin = 'kernel/arch/x86/events/amd/amd-uncore.ko\nkernel/net/netfilter/ipvs/ip-vs-rr.ko\n'
const loaded = `nf_conntrack 188416 2 xt_conntrack,nf_nat, Live 0x0000000000000000
nf_defrag_ipv6 24576 1 nf_conntrack, Live 0x0000000000000000
`

test('modules: built in and loaded, loadable, missing', () => {
  const names = ['ip_vs', 'ip_vs_rr', 'ip_vs_lc', 'ip_vs_mh', 'nf_conntrack'] as const
  expect(moduleStates(names, { loaded, builtin, dep })).toEqual({
    ip_vs: 'loadable',
    ip_vs_rr: 'loaded',
    ip_vs_lc: 'loadable',
    ip_vs_mh: 'missing',
    nf_conntrack: 'loaded',
  })
})

test.each(['ko', 'ko.xz', 'ko.zst', 'ko.gz'])('modules: one that ends in .%s', end => {
  const packed = dep.replaceAll('.ko', `.${end}`)
  expect(moduleStates(['ip_vs'], { loaded: '', builtin, dep: packed })).toEqual({ ip_vs: 'loadable' })
})

test('modules: without a list of them nothing is known but what is loaded', () => {
  const texts = { loaded, builtin: undefined, dep: undefined }
  expect(moduleStates(['ip_vs', 'nf_conntrack'], texts)).toEqual({ ip_vs: 'unknown', nf_conntrack: 'loaded' })
})

/** Of a kernel 6.18, like the routes below. */
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7777391 1 00000000466590ec 100 0 0 10 0
   1: 010012C6:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7777387 1 00000000f7c04b2b 100 0 0 10 0
   2: 010012C6:826C 010012C6:192B 01 00000000:00000000 00:00000000 00000000     0        0 7777392 2 000000005c461ecf 20 0 0 10 -1
`
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:265B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7777390 1 00000000cd45c6bd 100 0 0 10 0
   1: 6E6B00FD000000000000000001000000:192B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7777389 1 00000000dbcf8cad 100 0 0 10 0
   2: 0000000000000000FFFF0000010012C6:192C 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7777388 1 00000000f3b93284 100 0 0 10 0
`

test('listeners, of both families; connections are none', () => {
  expect(listeners(tcp, tcp6)).toEqual([
    { host: '0.0.0.0', port: 80 },
    { host: '198.18.0.1', port: 6443 },
    { host: '::', port: 9819 },
    { host: 'fd00:6b6e::1', port: 6443 },
    { host: '198.18.0.1', port: 6444 },
  ])
  expect(listeners('', '')).toEqual([])
})

const route = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT                                                       
v0	00000000	0110010A	0003	0	0	0	00000080	0	0	0
v0	00000000	0110010A	0003	0	0	0	00000000	0	0	0
v0	0010010A	00000000	0001	0	0	0	00F0FFFF	0	0	0
*	0003F40A	00000000	0001	0	0	0	C0FFFFFF	0	0	0
v0	00004064	0910010A	0003	0	0	0	0000C0FF	0	0	0
`
const route6 = `20000000000000000000000000000000 03 00000000000000000000000000000000 00 fd000001000000000000000000000001 00000400 00000001 00000000 00000003       v0
fd000001000000000000000000000000 48 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001       v0
fd000244000000000000000000000000 38 00000000000000000000000000000000 00 fd000001000000000000000000000009 00000400 00000001 00000000 00000003       v0
fd006b6e000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000003 00000000 00200200       lo
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000001000000000000000000000001 00000400 00000001 00000000 00000003       v0
`

test('networks with a route: what leads everywhere is none of them', () => {
  expect(routedNetworks4(route)).toEqual(['10.1.16.0/20', '10.244.3.0/26', '100.64.0.0/10'])
  expect(routedNetworks6(route6)).toEqual(['fd00:1::/72', 'fd00:244::/56'])
})

test.each([
  ['10.1.31.255', ['10.1.16.0/20']],
  ['10.1.32.0', []],
  ['100.127.0.1', ['100.64.0.0/10']],
  ['fd00:244::1', ['fd00:244::/56']],
])('networks around %s', (address, wanted) => {
  expect(covering([...routedNetworks4(route), ...routedNetworks6(route6)], address)).toEqual(wanted)
})

test('networks: the smallest first, each once', () => {
  expect(covering(['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8'], '10.1.0.1')).toEqual(['10.1.0.0/16', '10.0.0.0/8'])
})

test.each([
  ['10.1.18.3/20', '10.1.16.0/20'],
  ['10.1.18.3/32', '10.1.18.3/32'],
  ['10.1.18.3/0', '0.0.0.0/0'],
  ['192.0.2.130/25', '192.0.2.128/25'],
  ['fd00:1:2:3:4:5:6:7/72', 'fd00:1:2:3::/72'],
  ['fd00::ffff/119', 'fd00::fe00/119'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

test('an address by its bytes', () => {
  expect(hostOf([198, 18, 0, 1])).toBe('198.18.0.1')
  expect(hostOf([...Buffer.from('fd006b6e000000000000000000000001', 'hex')])).toBe('fd00:6b6e::1')
})
