import type { KubeClient, KubeObject } from '../kube/types.ts'
import { gatewayName, serverName } from './names.ts'
import type { Address, Delivery, HostSettings, TunnelSettings } from './settings.ts'

/** What `anp up` was told of a member, kept beside what it made, so that no later command need be told again. */
export interface Recorded {
  gateway: Address
  apiServer: Address
  memberNamespace: string
  deliver: Delivery
}

const annotation = 'karmada-net.io/anp-settings'

export const recordOf = ({ gateway, apiServer, memberNamespace, deliver }: TunnelSettings): Record<string, string> => ({
  [annotation]: JSON.stringify({ gateway, apiServer, memberNamespace, deliver } satisfies Recorded),
})

/** The same of the gateway, and so of every member's host side. */
export type RecordedHost = Pick<HostSettings, 'expose' | 'address' | 'replicas' | 'imageRegistry'>

export const hostRecordOf = ({ expose, address, replicas, imageRegistry }: HostSettings): Record<string, string> => ({
  [annotation]: JSON.stringify({ expose, address, replicas, imageRegistry } satisfies RecordedHost),
})

/** Undefined for a member without a tunnel. */
export const readRecord = (host: KubeClient, member: string, namespace: string): Promise<Recorded | undefined> =>
  read<Recorded>(host, serverName(member), namespace)

/** Undefined where there is no gateway yet. */
export const readHostRecord = (host: KubeClient, namespace: string): Promise<RecordedHost | undefined> =>
  read<RecordedHost>(host, gatewayName, namespace)

async function read<T>(host: KubeClient, name: string, namespace: string): Promise<T | undefined> {
  const deployment = await host.find<KubeObject>({ apiVersion: 'apps/v1', kind: 'Deployment', name, namespace })
  const text = deployment?.metadata.annotations?.[annotation]
  return text === undefined ? undefined : (JSON.parse(text) as T)
}
