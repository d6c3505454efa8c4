import type { V1PodSpec } from '@kubernetes/client-node'
import type { KubeClient, ObjectRef, Wire } from '../../kube/types.ts'
import { fieldManager } from '../../kube/verbs.ts'
import { namespace } from '../names.ts'
import type { ConfigMap, DaemonSet } from '../objects.ts'
import type { AgentPod } from '../reports.ts'

/** kube-proxy as a cluster runs it, as far as that can be seen from its API. */
export interface KubeProxy {
  /** Undefined: something else starts it, or there is none. */
  daemonSet: ProxyDaemonSet | undefined
  config: ProxyConfigMap | undefined
}

export type ProxyDaemonSet = DaemonSet & { spec: { selector?: { matchLabels?: Record<string, string> } } }

/** The ConfigMap with its settings, and which of its texts they are. */
export interface ProxyConfigMap {
  map: ConfigMap
  key: string
  text: string
}

const name = 'kube-proxy'
/** As kubeadm names them. */
const usual = { map: name, key: 'config.conf' }

/** Throws what the API server answers. */
export async function findKubeProxy(client: KubeClient, options: { signal: AbortSignal }): Promise<KubeProxy> {
  const daemonSet = await client.find<ProxyDaemonSet>(
    { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name },
    options,
  )
  const at = daemonSet ? settingsOf(daemonSet.spec.template.spec) : usual
  const map = at && (await client.find<ConfigMap>(configRef(at.map), options))
  const text = at && map?.data?.[at.key]
  return { daemonSet, config: map && text !== undefined ? { map, key: at.key, text } : undefined }
}

export const configRef = (map: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: map })

/** The ConfigMap and key behind `--config`; undefined: it is told by flags alone, or by a file of the node. Pure. */
export function settingsOf(spec: Wire<V1PodSpec> | undefined): { map: string; key: string } | undefined {
  for (const container of spec?.containers ?? []) {
    const words = [...(container.command ?? []), ...(container.args ?? [])].join(' ')
    const [, file] = /--config[= ](\S+)/.exec(words) ?? []
    const mount = container.volumeMounts?.find(({ mountPath }) => file?.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    const source = spec?.volumes?.find(volume => volume.name === mount?.name)?.configMap
    if (!file || !mount || !source?.name) continue
    const path = file.slice(mount.mountPath.replace(/\/$/, '').length + 1)
    return { map: source.name, key: source.items?.find(item => item.path === path)?.key ?? path }
  }
  return undefined
}

/** Its pods by node. Throws what the API server answers. */
export async function podsOf(
  client: KubeClient,
  { metadata, spec }: ProxyDaemonSet,
  options: { signal: AbortSignal },
): Promise<Map<string, AgentPod>> {
  const pods = await client.list<AgentPod>({ apiVersion: 'v1', kind: 'Pod', namespace, ...selectorOf(spec) }, options)
  const own = pods.filter(pod => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid))
  return new Map(own.flatMap(pod => (pod.spec?.nodeName ? [[pod.spec.nodeName, pod]] : [])))
}

export const selectorOf = ({ selector }: ProxyDaemonSet['spec']): { labelSelector: string } => ({
  labelSelector: Object.entries(selector?.matchLabels ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .join(','),
})

/**
 * When we last wrote to a ConfigMap that holds something of ours, by its API server's clock, as pods' creation is. Undefined: it holds
 * nothing. Whole seconds. Pure.
 */
export function writtenByUs({ metadata }: ConfigMap): string | undefined {
  const held = Object.keys(metadata.annotations ?? {}).some(key => key.startsWith('karmada-net.io/'))
  if (!held) return undefined
  const own = metadata.managedFields?.filter(({ manager }) => manager === fieldManager) ?? []
  return own
    .flatMap(({ time }) => time ?? [])
    .sort()
    .at(-1)
}

/** Did the pod read its settings before they were written? Where there is none, nobody did. Pure. */
export const isOlder = (pod: Pick<AgentPod, 'metadata'> | undefined, written: string): boolean =>
  pod !== undefined && Date.parse(pod.metadata.creationTimestamp ?? '') <= Date.parse(written)
