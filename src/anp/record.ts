import type { KubeClient, KubeObject } from '../kube/types.ts'
import { serverName } from './names.ts'
import type { Address, Delivery, TunnelSettings } from './settings.ts'

/** What `anp up` was told, kept beside what it made, so that the other verbs need not be told again. */
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

/** Undefined for a member without a tunnel. */
export async function readRecord(host: KubeClient, member: string, namespace: string): Promise<Recorded | undefined> {
  const deployment = await host.find({ apiVersion: 'apps/v1', kind: 'Deployment', name: serverName(member), namespace })
  return deployment && recorded(deployment)
}

function recorded({ metadata }: KubeObject): Recorded | undefined {
  const text = metadata.annotations?.[annotation]
  return text === undefined ? undefined : (JSON.parse(text) as Recorded)
}
