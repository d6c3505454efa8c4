import type { V1Pod } from '@kubernetes/client-node'
import type { KubeClient, KubeObject, ObjectRef, Wire } from '../kube/types.ts'
import { getFromPod, type PodRef } from './dial.ts'
import { healthPort, serverName } from './names.ts'

export type Pod = Wire<V1Pod> & KubeObject

/** The Deployment of a member's proxy-servers. */
export const serverRef = (member: string, namespace: string): ObjectRef => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: serverName(member),
  namespace,
})

export const podSelector = (component: string, instance: string): string =>
  `app.kubernetes.io/component=${component},app.kubernetes.io/instance=${instance}`

/** The member's proxy-server pods that are not on their way out. */
export async function serverPods(host: KubeClient, member: string, namespace: string): Promise<Pod[]> {
  const labelSelector = podSelector('anp-server', member)
  const pods = await host.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector })
  return pods.filter(({ metadata }) => !metadata.deletionTimestamp)
}

/** proxy-server is ready once an agent is connected to it. */
export const isReadyPod = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

export const podRef = ({ metadata }: Pod): PodRef => ({ namespace: metadata.namespace ?? '', pod: metadata.name })

/** Agents connected to one proxy-server, by its own count. */
export async function connectedAgents(host: KubeClient, pod: PodRef, signal: AbortSignal): Promise<number> {
  const { text } = await getFromPod(host, pod, healthPort, '/metrics', signal)
  return agentCount(text)
}

/** From proxy-server's metrics (text format): `..._ready_backend_connections 2`. */
export function agentCount(metrics: string): number {
  const value = /^konnectivity_network_proxy_server_ready_backend_connections(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1]
  return value === undefined ? 0 : Number(value)
}
