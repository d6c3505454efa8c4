import { type Work, workRef } from '../karmada/work.ts'
import type { KubeClient, KubeObject, ListRef } from '../kube/types.ts'
import { waitForGone } from '../kube/wait.ts'
import { bare, deleteAll, planned } from '../steps/objects.ts'
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
  async objects({ karmada }) {
    const work = await ownWork(karmada, member)
    if (work)
      return planned(`control plane, to be deleted together with what it brought to member ${member}`, [bare(work)])
    return client ? planned(`member ${member}, to be deleted`, await agentObjectsOf(client, member)) : []
  },
  async dryRun({ karmada }) {
    if (await ownWork(karmada, member))
      return { changed: await karmada.delete(workRef(member, workName), { dryRun: true }) }
    return client ? deleteAll(client, await agentObjectsOf(client, member), true) : { changed: false }
  },
  async run(world, progress) {
    const { karmada } = world
    if (await ownWork(karmada, member)) {
      await karmada.delete(workRef(member, workName))
      progress('a karmada-agent that just started first waits for the lease of the one before, some 20s')
      // Its finalizer goes once karmada-agent has deleted what it brought.
      await waitForGone(karmada, workRef(member, workName), waiting(world, progress))
      return { changed: true }
    }
    if (!client) return { changed: false, detail: left ? `stays in ${member}: no context leads there` : 'is not there' }
    return deleteAll(client, await agentObjectsOf(client, member))
  },
})

export const serverGoneStep = ({ member }: Pick<MemberJob, 'member'>): Step<World> => ({
  title: 'Proxy server removed',
  objects: async world => planned(`host ${world.hostName}, to be deleted`, await serverObjectsOf(world, member)),
  dryRun: async world => deleteAll(world.host, await serverObjectsOf(world, member), true),
  run: async world => deleteAll(world.host, await serverObjectsOf(world, member)),
})

/** Everybody's, so it goes with the last member. */
export const gatewayGoneStep: Step<World> = {
  title: 'Gateway',
  async run({ host, settings }) {
    const { namespace } = settings
    const servers = await host.list({ ...deployments, namespace, labelSelector: selector('anp-server') })
    if (servers.length > 0) return { changed: false, detail: `kept: members connected by it: ${servers.length}` }
    const { changed } = await deleteAll(host, await labelled(host, hostKinds, selector(gatewayName), namespace))
    return { changed, detail: changed ? 'removed: no member is connected any more' : 'is not there' }
  },
}

async function ownWork(karmada: KubeClient, member: string): Promise<Work | undefined> {
  const work = await karmada.find<Work>(workRef(member, workName))
  return work && isOurs(work) ? work : undefined
}

const agentObjectsOf = (client: KubeClient, member: string): Promise<KubeObject[]> =>
  labelled(client, memberKinds, selector(agentName, member))

const serverObjectsOf = ({ host, settings }: World, member: string): Promise<KubeObject[]> =>
  labelled(host, hostKinds, selector('anp-server', member), settings.namespace)

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

/** What carries our labels, each by its name alone. */
async function labelled(
  client: KubeClient,
  kinds: ListRef[],
  labelSelector: string,
  namespace?: string,
): Promise<KubeObject[]> {
  const lists = await Promise.all(
    kinds.map(async kind => {
      const objects = await client.list<KubeObject>({ ...kind, namespace, labelSelector })
      return objects.filter(isOurs).map(object => bare({ ...object, ...kind }))
    }),
  )
  return lists.flat()
}

const isOurs = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.['app.kubernetes.io/managed-by'] === managedBy['app.kubernetes.io/managed-by']
