import type { KubeClient } from '../kube/types.ts'
import type { Asker } from './ask.ts'
import { type Deployment, installationsIn, type Pod, type Service } from './installation.ts'
import type { Installation } from './types.ts'

const names = '(karmada-apiserver,karmada-aggregated-apiserver)'
/** Pods of karmadactl, the chart and the scripts; the operator has labels of its own. */
const selectors = { app: `app in ${names}`, operator: `app.kubernetes.io/name in ${names}` }

/** The API groups that a cluster serves. */
export interface Groups {
  /** Resolves once they are known, or will not be. */
  answered: Promise<unknown>
  has(name: string): boolean
}

export const isPlane = (groups: Groups): boolean => groups.has('cluster.karmada.io')

/** The Karmada control planes whose pods run in this cluster. */
export async function installationsOf(client: KubeClient, asker: Asker, groups: Groups): Promise<Installation[]> {
  const pods = (labelSelector: string, namespace?: string) =>
    asker.ask('pods', namespace === undefined ? 'list pods' : `list pods in ${namespace}`, async options =>
      // A near server has told its groups before it is this one's turn; a far one is asked for both at once.
      isPlane(groups) ? [] : client.list<Pod>({ apiVersion: 'v1', kind: 'Pod', labelSelector, namespace }, options),
    )
  const found = await Promise.all([
    // Who may not list the pods of all namespaces may be the admin of Karmada's.
    pods(selectors.app).then(all => all ?? pods(selectors.app, 'karmada-system')),
    groups.answered.then(() => (groups.has('operator.karmada.io') ? pods(selectors.operator) : [])),
  ])
  if (isPlane(groups)) return []
  const unique = new Map(found.flatMap(pods => pods ?? []).map(pod => [pod.metadata.uid ?? pod.metadata.name, pod]))
  const byNamespace = [...Map.groupBy(unique.values(), pod => pod.metadata.namespace ?? '')]
  const installations = byNamespace.map(([namespace, pods]) => readNamespace(client, asker, namespace, pods))
  return (await Promise.all(installations)).flat()
}

async function readNamespace(
  client: KubeClient,
  asker: Asker,
  namespace: string,
  pods: Pod[],
): Promise<Installation[]> {
  const [deployments, services] = await Promise.all([
    asker.ask('details', `list deployments in ${namespace}`, options =>
      client.list<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }, options),
    ),
    asker.ask('details', `list services in ${namespace}`, options =>
      client.list<Service>({ apiVersion: 'v1', kind: 'Service', namespace }, options),
    ),
  ])
  return installationsIn({ namespace, pods, deployments: deployments ?? [], services: services ?? [] })
}
