import type { KubeObject } from '../kube/types.ts'

/** Of every object of the virtual IP; there is one per cluster. */
export const name = 'karmada-net-vip'
export const namespace = 'kube-system'
/** Where the EndpointSlices of the API servers are. */
export const apiNamespace = 'default'
export const settingsKey = 'settings.json'

/** On a node that has no agent for a while: its turn comes `later`, or it is `leaving`. */
export const stageLabel = 'karmada-net.io/vip'
export type Stage = 'later' | 'leaving'

const managedBy = { 'app.kubernetes.io/managed-by': 'kubectl-karmada-net' }

type Component = 'vip' | 'vip-check' | 'vip-kubelet' | 'vip-static' | 'vip-uninstall' | 'vip-verify'

export const labels = (component: Component): Record<string, string> => ({
  ...managedBy,
  'app.kubernetes.io/part-of': 'karmada-net',
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/instance': name,
})

export const selectorOf = (component: Component): string =>
  Object.entries(labels(component))
    .filter(([label]) => /component|instance/.test(label))
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

export const isOurs = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.['app.kubernetes.io/managed-by'] === managedBy['app.kubernetes.io/managed-by']

export const refs = {
  config: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name },
  daemonSet: { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name },
} as const
