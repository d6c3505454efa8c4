import { type Work, workRef } from '../karmada/work.ts'
import type { KubeClient, KubeObject, ListRef } from '../kube/types.ts'
import { waitForGone } from '../kube/wait.ts'
import type { Step } from '../steps/step.ts'
import { agentName, gatewayName, managedBy, workName } from './names.ts'
import { waiting } from './ready.ts'
import type { MemberJob, World } from './world.ts'

export interface Leaving extends Pick<MemberJob, 'member' | 'client'> {
  /** The agent was not delivered through Karmada, so that Karmada cannot take it away. */
  left?: boolean | undefined
}

/**
 * At once: the karmada-agent that is still running deletes the objects in a second; the next one must first wait for the lease of this
 * one to run out.
 */
export const agentGoneStep = ({ member, client, left }: Leaving): Step<World> => ({
  title: 'Agent removed',
  async run(world, progress) {
    const { karmada } = world
    const ref = workRef(member, workName)
    const work = await karmada.find<Work>(ref)
    if (work && isOurs(work)) {
      await karmada.delete(ref)
      progress('a karmada-agent that just started first waits for the lease of the one before, some 20s')
      // Its finalizer goes once karmada-agent has deleted what it brought.
      await waitForGone(karmada, ref, waiting(world, progress))
      return { changed: true }
    }
    const selected = selector(agentName, member)
    if (!client) return { changed: false, detail: left ? `stays in ${member}: no context leads there` : 'is not there' }
    const count = await deleteLabelled(client, memberKinds, selected)
    return { changed: count > 0, detail: `${count} objects` }
  },
})

export const serverGoneStep = ({ member }: Pick<MemberJob, 'member'>): Step<World> => ({
  title: 'Proxy server removed',
  async run({ host, settings }) {
    const count = await deleteLabelled(host, hostKinds, selector('anp-server', member), settings.namespace)
    return { changed: count > 0, detail: `${count} objects` }
  },
})

/** Everybody's, so it goes with the last member. */
export const gatewayGoneStep: Step<World> = {
  title: 'Gateway',
  async run({ host, settings }) {
    const { namespace } = settings
    const servers = await host.list({ ...deployments, namespace, labelSelector: selector('anp-server') })
    if (servers.length > 0) return { changed: false, detail: `kept for ${servers.length} connected members` }
    const count = await deleteLabelled(host, hostKinds, selector(gatewayName), namespace)
    return { changed: count > 0, detail: count > 0 ? `removed: no member is connected any more` : 'is not there' }
  },
}

const selector = (component: string, instance?: string): string =>
  Object.entries({
    ...managedBy,
    'app.kubernetes.io/component': component,
    ...(instance === undefined ? {} : { 'app.kubernetes.io/instance': instance }),
  })
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

const deployments = { apiVersion: 'apps/v1', kind: 'Deployment' }
const memberKinds = [
  deployments,
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
]
const hostKinds = [...memberKinds, { apiVersion: 'v1', kind: 'Service' }, { apiVersion: 'v1', kind: 'ConfigMap' }]

/** Deletes what carries our labels, and nothing else. How many there were. */
async function deleteLabelled(
  client: KubeClient,
  kinds: ListRef[],
  labelSelector: string,
  namespace?: string,
): Promise<number> {
  let count = 0
  for (const kind of kinds) {
    const objects = await client.list<KubeObject>({ ...kind, namespace, labelSelector })
    for (const { metadata } of objects.filter(isOurs)) {
      if (await client.delete({ ...kind, namespace: metadata.namespace, name: metadata.name })) count++
    }
  }
  return count
}

const isOurs = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.['app.kubernetes.io/managed-by'] === managedBy['app.kubernetes.io/managed-by']
