import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import {
  exclusionOf,
  modeOf,
  networkOf,
  withExclusion,
  withoutExclusion,
} from '../../../../src/vip/kube-proxy/config.ts'
import { judgeKubeProxy, judgeRunning } from '../../../../src/vip/kube-proxy/judge.ts'

const network = '198.18.0.1/32'

/** As kubeadm writes it. */
const kubeadm = (excludeCIDRs: string) => `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
clusterCIDR: 10.244.0.0/16
ipvs:
  excludeCIDRs: ${excludeCIDRs}
  minSyncPeriod: 0s
  scheduler: ""
kind: KubeProxyConfiguration
mode: ipvs
`

describe('the network is added, and nothing else changes', () => {
  test.each<[how: string, text: string, wanted: string]>([
    ['null', kubeadm('null'), kubeadm(`["${network}"]`)],
    ['an empty list', kubeadm('[]'), kubeadm(`["${network}"]`)],
    ['nothing', kubeadm('').replace('excludeCIDRs: \n', 'excludeCIDRs:\n'), kubeadm(`["${network}"]`)],
    [
      'a list in brackets',
      kubeadm('[10.0.0.0/8, 172.16.0.0/12]'),
      kubeadm(`[10.0.0.0/8, 172.16.0.0/12, "${network}"]`),
    ],
    ['a list below', kubeadm('# ours\n  - 10.0.0.0/8'), kubeadm(`# ours\n  - "${network}"\n  - 10.0.0.0/8`)],
    [
      'a list with comments',
      'mode: ipvs\nipvs:\n  excludeCIDRs:\n    # old\n    - 10.0.0.0/8 # lab\nx: 1\n',
      `mode: ipvs\nipvs:\n  excludeCIDRs:\n    # old\n    - "${network}"\n    - 10.0.0.0/8 # lab\nx: 1\n`,
    ],
    [
      'no such field',
      'mode: ipvs # why\nipvs:\n  # the fastest\n  scheduler: rr\nx: 1\n',
      `mode: ipvs # why\nipvs:\n  # the fastest\n  excludeCIDRs: ["${network}"]\n  scheduler: rr\nx: 1\n`,
    ],
    [
      'braces',
      'mode: ipvs\nipvs: {scheduler: rr}\n',
      `mode: ipvs\nipvs: {excludeCIDRs: ["${network}"], scheduler: rr}\n`,
    ],
    [
      'braces with an empty list',
      'mode: ipvs\nipvs: {scheduler: rr, excludeCIDRs: []}\n',
      `mode: ipvs\nipvs: {scheduler: rr, excludeCIDRs: ["${network}"]}\n`,
    ],
    ['empty braces', 'mode: ipvs\nipvs: {}\n', `mode: ipvs\nipvs:\n  excludeCIDRs: ["${network}"]\n`],
    ['no ipvs at all', 'mode: ipvs # x', `mode: ipvs # x\nipvs:\n  excludeCIDRs: ["${network}"]`],
  ])('%s', (_, text, wanted) => {
    expect(withExclusion(text, network)).toBe(wanted)
    expect(exclusionOf(wanted, '198.18.0.1')).toBe(network)
  })

  test('where no line says it, the meaning is kept', () => {
    const text = '{"mode": "ipvs",\n "ipvs": {"scheduler": "rr",\n "excludeCIDRs": ["10.0.0.0/8"\n]}}'
    expect(load(withExclusion(text, network))).toEqual({
      mode: 'ipvs',
      ipvs: { scheduler: 'rr', excludeCIDRs: ['10.0.0.0/8', network] },
    })
  })
})

describe('it is taken out again, whatever came beside it', () => {
  test.each([
    [kubeadm(`["${network}"]`), []],
    [kubeadm(`["${network}", 10.0.0.0/8]`), ['10.0.0.0/8']],
    [kubeadm(`[10.0.0.0/8, '${network}']`), ['10.0.0.0/8']],
    [kubeadm(`\n  - ${network}\n  - 10.0.0.0/8`), ['10.0.0.0/8']],
    [kubeadm(`\n  - 10.0.0.0/8\n  - "${network}"`), ['10.0.0.0/8']],
    [kubeadm(`\n  - ${network}`), []],
  ])('%#', (text, left) => {
    const without = withoutExclusion(text, network)
    const { ipvs, mode } = load(without) as { mode: string; ipvs: { excludeCIDRs: string[] | null } }
    expect(ipvs.excludeCIDRs ?? []).toEqual(left)
    expect(mode).toBe('ipvs')
    expect(without).toContain('  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\n')
  })

  test('a network that begins the same stays', () => {
    expect(withoutExclusion(kubeadm('[198.18.0.1/32, 198.18.0.1/320]'), network)).toContain('198.18.0.1/320')
  })
})

test.each([
  ['', 'iptables'],
  ['mode: ""', 'iptables'],
  ['mode: ipvs', 'ipvs'],
  ['mode: [', 'iptables'],
  ['- a', 'iptables'],
])('%j is mode %s', (text, mode) => {
  expect(modeOf(text)).toBe(mode)
})

test('of either family it is the one address', () => {
  expect(networkOf('198.18.0.1')).toBe(network)
  expect(networkOf('fd00::1')).toBe('fd00::1/128')
  expect(exclusionOf(withExclusion(kubeadm('null'), 'fd00::1/128'), 'fd00::1')).toBe('fd00::1/128')
})

describe('the judgement', () => {
  test.each([
    [undefined, '198.18.0.1', true, 'is not known'],
    ['mode: ""', '198.18.0.1', true, 'iptables'],
    ['mode: nftables', '198.18.0.1', true, 'empties the table when it starts'],
    ['mode: ipvs', '198.18.0.1', false, '198.18.0.1/32'],
    ['mode: ipvs\nipvs: {excludeCIDRs: null}', 'fd00::1', false, 'fd00::1/128'],
    ['mode: ipvs\nipvs: {excludeCIDRs: [10.0.0.0/8, 198.18.0.0/15]}', '198.18.0.1', true, '198.18.0.0/15'],
    ['mode: [', '198.18.0.1', true, 'iptables'],
  ])('%s', (text, vip, ok, detail) => {
    const result = judgeKubeProxy(text, vip)
    expect(result.ok).toBe(ok)
    expect(result.detail).toContain(detail)
  })
})

describe('the judgement of one that runs', () => {
  test.each([
    [undefined, true, 'none says'],
    [{ mode: 'nftables', excludeCIDRs: [] }, true, 'mode nftables'],
    [{ mode: 'ipvs', excludeCIDRs: ['198.18.0.0/15'] }, true, 'leaves 198.18.0.0/15 alone'],
    [{ mode: 'ipvs', excludeCIDRs: ['10.0.0.0/8'] }, false, 'without 198.18.0.1/32'],
  ])('%j', (news, ok, detail) => {
    const result = judgeRunning(news, '198.18.0.1')
    expect(result.ok).toBe(ok)
    expect(result.detail).toContain(detail)
    expect(result.hint === undefined).toBe(ok)
  })
})
