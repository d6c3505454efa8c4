import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { forget, move, moveBack, movedFrom } from '../../../../src/vip/repoint/config-map.ts'
import { restored, sameTarget, targetOf, withTarget } from '../../../../src/vip/repoint/kubeconfig.ts'

/** As kubeadm writes it. */
const kubeadm = (server: string, more = '') => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1C
    server: ${server}
${more}  name: default-cluster
contexts:
- context:
    cluster: default-cluster
    namespace: default
    user: default-auth
  name: default-context
current-context: default-context
kind: Config
preferences: {} # none
users:
- name: default-auth
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
`
const old = 'https://10.0.0.1:6443'
const vip = { server: 'https://198.18.0.1:6443' }

describe('a kubeconfig leads elsewhere, and nothing else of it changes', () => {
  test.each<[string, string, string]>([
    ['as kubeadm', kubeadm(old), kubeadm(vip.server)],
    ['in quotes', kubeadm(`"${old}"`), kubeadm(vip.server)],
    ['with another name before', kubeadm(old, '    tls-server-name: a.example.com\n'), kubeadm(vip.server)],
    [
      'the server first',
      `# mine\nclusters:\n  - name: a\n    cluster:\n      server: ${old}\n      x: 1\n`,
      `# mine\nclusters:\n  - name: a\n    cluster:\n      server: ${vip.server}\n      x: 1\n`,
    ],
    [
      'right behind the dash',
      `clusters:\n- cluster: &c\n    server: ${old}\n`.replace(' &c', ''),
      `clusters:\n- cluster:\n    server: ${vip.server}\n`,
    ],
  ])('%s', (_, text, wanted) => {
    expect(withTarget(text, vip)).toBe(wanted)
    expect(targetOf(wanted)).toEqual(vip)
  })

  test('with a name that certificates are checked for', () => {
    const named = { ...vip, tlsServerName: 'kubernetes' }
    const text = withTarget(kubeadm(old), named)
    expect(text).toBe(kubeadm(vip.server, '    tls-server-name: kubernetes\n'))
    expect(targetOf(text)).toEqual(named)
    expect(withTarget(text, { server: old })).toBe(kubeadm(old))
  })

  test('of several clusters the one of the current context', () => {
    const text = `current-context: b
contexts: [{name: b, context: {cluster: b}}]
clusters:
- {name: a, cluster: {server: "${old}"}}
- {name: b, cluster: {server: "${old}"}}
`
    const { clusters } = load(withTarget(text, vip)) as { clusters: { cluster: { server: string } }[] }
    expect(clusters.map(({ cluster }) => cluster.server)).toEqual([old, vip.server])
  })

  test.each([
    '',
    'x: [',
    'clusters: []',
    'clusters: [{cluster: {}}]',
    'clusters: [{cluster: {server: a}}, {cluster: {server: b}}]',
  ])('what leads nowhere is left as it is: %j', text => {
    expect(targetOf(text)).toBeUndefined()
  })
})

describe('it leads back', () => {
  test('byte for byte, where nobody changed it since', () => {
    const before = kubeadm(`"${old}"`)
    expect(restored(withTarget(before, vip), before)).toBe(before)
  })

  test('with what changed since', () => {
    const now = withTarget(kubeadm(old), vip).replace('LS0tLS1C', 'TmV3')
    expect(restored(now, kubeadm(old))).toBe(kubeadm(old).replace('LS0tLS1C', 'TmV3'))
  })
})

test('the same place is the same server under the same name', () => {
  expect(sameTarget(vip, { ...vip })).toBe(true)
  expect(sameTarget(vip, { ...vip, tlsServerName: 'kubernetes' })).toBe(false)
  expect(sameTarget(undefined, vip)).toBe(false)
})

describe('a kubeconfig in a ConfigMap', () => {
  const map = (text: string, annotations: Record<string, string | undefined> = {}) => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: { name: 'cluster-info', annotations: annotations as Record<string, string> },
    data: { kubeconfig: text, 'jws-kubeconfig-abcdef': 'x' },
  })

  test('is moved once, remembers the first of all, and is put back', () => {
    const moved = move(map(kubeadm(old)), 'kubeconfig', vip)
    expect(moved?.data).toEqual({ kubeconfig: kubeadm(vip.server) })
    const there = map(kubeadm(vip.server), moved?.annotations)
    expect(movedFrom(there)).toBe(old)
    expect(move(there, 'kubeconfig', vip)).toBeUndefined()
    const again = move(there, 'kubeconfig', { server: 'https://198.18.0.2:6443' })
    expect(movedFrom(map('', again?.annotations))).toBe(old)
    expect(moveBack(there)?.data).toEqual({ kubeconfig: kubeadm(old) })
    const back = map(kubeadm(old), moved?.annotations)
    expect(moveBack(back)).toBeUndefined()
    expect(Object.values(forget(back)?.annotations ?? {})).toEqual([undefined])
  })

  test('that is none of ours, or no kubeconfig, is left alone', () => {
    expect(moveBack(map(kubeadm(old)))).toBeUndefined()
    expect(forget(map(kubeadm(old)))).toBeUndefined()
    expect(move(map('x'), 'kubeconfig', vip)).toBeUndefined()
  })
})
