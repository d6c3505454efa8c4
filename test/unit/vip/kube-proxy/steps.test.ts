import { describe, expect, test } from 'vitest'
import { addedIn, exclude, include } from '../../../../src/vip/kube-proxy/exclusion.ts'
import { isOlder, type ProxyConfigMap, settingsOf, writtenByUs } from '../../../../src/vip/kube-proxy/find.ts'
import { isBack } from '../../../../src/vip/kube-proxy/restart.ts'
import { howItIs } from '../../../../src/vip/kube-proxy/steps.ts'
import type { AgentPod } from '../../../../src/vip/reports.ts'

const before = 'mode: ipvs\nipvs:\n  excludeCIDRs: null # none\n'

const config = (text: string, annotations?: Record<string, string>): ProxyConfigMap => ({
  map: {
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: { name: 'kube-proxy', namespace: 'kube-system', ...(annotations && { annotations }) },
    data: { 'config.conf': text },
  },
  ...{ key: 'config.conf', text },
})

describe('what we add', () => {
  const change = exclude(config(before), '198.18.0.1')
  const text = change?.data['config.conf'] ?? ''
  const annotations = change?.annotations as Record<string, string>

  test('is added once, and only in mode ipvs', () => {
    expect(text).toContain('["198.18.0.1/32"]')
    expect(addedIn(config(text, annotations).map)).toBe('198.18.0.1/32')
    expect(exclude(config(text, annotations), '198.18.0.1')).toBeUndefined()
    expect(exclude(config('mode: nftables'), '198.18.0.1')).toBeUndefined()
    expect(exclude(config('mode: ipvs\nipvs: {excludeCIDRs: [198.18.0.0/15]}'), '198.18.0.1')).toBeUndefined()
  })

  test('goes again, byte for byte', () => {
    const back = include(config(text, annotations))
    expect(back?.data).toEqual({ 'config.conf': before })
    expect(Object.values(back?.annotations ?? {})).toEqual([undefined])
  })

  test('goes alone where somebody else came by', () => {
    const changed = text.replace('mode: ipvs', 'mode: nftables').replace('["', '["10.0.0.0/8", "')
    expect(include(config(changed, annotations))?.data['config.conf']).toMatch(
      /^mode: nftables\nipvs:\n {2}excludeCIDRs: \["10.0.0.0\/8"\] ?# none\n$/,
    )
  })

  test('what somebody else added is not ours', () => {
    expect(include(config(text))).toBeUndefined()
  })
})

describe('where its settings are', () => {
  const spec = (words: string[], mountPath = '/var/lib/kube-proxy', items?: { key: string; path: string }[]) => ({
    containers: [{ name: 'kube-proxy', command: words, volumeMounts: [{ name: 'settings', mountPath }] }],
    volumes: [{ name: 'settings', configMap: { name: 'some-map', ...(items && { items }) } }],
  })

  test.each([
    ['as kubeadm', spec(['kube-proxy', '--config=/var/lib/kube-proxy/config.conf']), 'config.conf'],
    ['two words', spec(['kube-proxy', '--config', '/var/lib/kube-proxy/config']), 'config'],
    ['a folder with a slash', spec(['kube-proxy', '--config=/etc/kp/c'], '/etc/kp/'), 'c'],
    ['under another key', spec(['kube-proxy', '--config=/a/c'], '/a', [{ key: 'k', path: 'c' }]), 'k'],
  ])('%s', (_, pod, key) => {
    expect(settingsOf(pod)).toEqual({ map: 'some-map', key })
  })

  test.each([
    ['flags alone', spec(['kube-proxy', '--proxy-mode=ipvs'])],
    ['a file of the node', spec(['kube-proxy', '--config=/etc/kubernetes/kube-proxy.yaml'])],
    ['a folder that begins the same', spec(['kube-proxy', '--config=/var/lib/kube-proxy2/config.conf'])],
  ])('%s: in no ConfigMap', (_, pod) => {
    expect(settingsOf(pod)).toBeUndefined()
  })
})

describe('who has still to be restarted', () => {
  const managedFields = [
    { manager: 'kubeadm', time: '2026-01-09T00:00:00Z' },
    { manager: 'kubectl-karmada-net', time: '2026-01-02T00:00:00Z' },
  ]
  const written = (annotations: Record<string, string>) => {
    const { map } = config(before, annotations)
    return writtenByUs({ ...map, metadata: { ...map.metadata, managedFields } })
  }
  const pod = (creationTimestamp: string) => ({ metadata: { name: 'p', creationTimestamp } })

  test('whoever began before we wrote, and nobody where there is nothing of ours', () => {
    expect(written({})).toBeUndefined()
    const at = written({ 'karmada-net.io/vip-excluded': '{}' }) ?? ''
    expect(at).toBe('2026-01-02T00:00:00Z')
    expect(isOlder(pod('2026-01-01T23:59:59Z'), at)).toBe(true)
    expect(isOlder(pod('2026-01-02T00:00:00Z'), at)).toBe(true)
    expect(isOlder(pod('2026-01-02T00:00:01Z'), at)).toBe(false)
    expect(isOlder(undefined, at)).toBe(false)
  })

  const old: Pick<AgentPod, 'metadata'> = { metadata: { name: 'old', uid: '1' } }
  const one = (uid: string, ready: string, more: object = {}) =>
    ({
      metadata: { name: uid, uid, ...more },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    }) as unknown as AgentPod

  test.each([
    ['the old one is still there', [one('1', 'True'), one('2', 'True')], 'the old one is ending'],
    ['none', [], 'there is no new one yet'],
    ['one that goes, too', [one('2', 'True', { deletionTimestamp: 'x' })], 'there is no new one yet'],
    ['one that is not ready', [one('2', 'False')], 'the new one is not ready yet'],
    ['a new one', [one('2', 'True')], true],
  ])('%s', (_, pods, wanted) => {
    expect(isBack(pods, old)).toBe(wanted)
  })
})

test('what we cannot change is said with what to do', () => {
  expect(howItIs({ daemonSet: undefined, config: undefined }, '198.18.0.1')).toContain(
    'excludeCIDRs needs 198.18.0.1/32',
  )
})
