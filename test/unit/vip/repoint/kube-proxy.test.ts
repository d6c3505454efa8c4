import { expect, test } from 'vitest'
import { kubeconfigKey } from '../../../../src/vip/repoint/kube-proxy.ts'

const map = {
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-proxy' } },
  data: { 'config.conf': '', 'kubeconfig.conf': '' },
}

test.each([
  ['clientConnection: {kubeconfig: /var/lib/kube-proxy/kubeconfig.conf}', 'kubeconfig.conf'],
  ['clientConnection: {kubeconfig: /etc/kubernetes/kube-proxy.conf}', undefined],
  ['clientConnection: {kubeconfig: ""}', undefined],
  ['mode: ipvs', undefined],
  ['', undefined],
])('the kubeconfig of %j', (text, key) => {
  expect(kubeconfigKey({ text, map })).toBe(key)
})
