import { UserError } from '../errors.ts'
import { type Deployment, findAgent } from '../karmada/agent.ts'
import { type Cluster, clusterRef, memberThroughKarmada } from '../karmada/cluster.ts'
import { type Work, workRef } from '../karmada/work.ts'
import { pause } from '../kube/pause.ts'
import type { KubeClient, KubeObject, ListRef } from '../kube/types.ts'
import { rolledOut, waitFor, waitForGone } from '../kube/wait.ts'
import type { Progress, Step, StepGroup } from '../steps/step.ts'
import { restoreAgent } from './agent-flags.ts'
import { restoreCluster } from './cluster-spec.ts'
import { clusterReady, waiting } from './connect.ts'
import { getThroughTunnel } from './dial.ts'
import { memberLogin } from './login.ts'
import { connectPort, gatewayName, managedBy, memberSelector, workName } from './names.ts'
import { isConnected } from './preflight.ts'
import { isReadyPod, podRef, serverPods } from './servers.ts'
import type { MemberJob, World } from './world.ts'

/**
 * Puts one member back as it was. The tunnel goes last: karmada-agent is patched through it. Between its flags and Cluster.spec lies
 * no wait: an agent that starts in between with other values than its Cluster's would crash.
 */
export const disconnectGroup = (job: MemberJob): StepGroup<World> => ({
  title: job.member,
  steps: [agentFlagsStep(job), clusterStep(job), settledStep(job), agentGoneStep(job), serverGoneStep(job)],
})

const agentFlagsStep = (job: MemberJob): Step<World> => ({
  title: 'karmada-agent flags, as they were',
  async run(world) {
    const cluster = await world.karmada.get<Cluster>(clusterRef(job.member))
    if (!isConnected(cluster) && !job.client) return { changed: false, detail: 'were not changed' }
    const member = job.client ?? memberThroughKarmada(world.karmada, job.member)
    try {
      const agent = await restoreAgent(member, job.member)
      return { changed: agent !== undefined, detail: agent ? undefined : 'were not changed' }
    } catch (error) {
      if (world.force) return { changed: false, detail: 'not reached, left as they are' }
      if (error instanceof UserError || world.signal.aborted) throw error
      throw new UserError(`karmada-agent of ${job.member} cannot be reached: ${messageOf(error)}`, {
        hint: `mend the tunnel (anp verify ${job.member}), or reach the member by a context: --member-context ${job.member}=CONTEXT`,
        cause: error,
      })
    }
  },
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const clusterStep = (job: MemberJob): Step<World> => ({
  title: 'Cluster.spec, as it was',
  dryRun: async ({ karmada }) => ({ changed: await restoreCluster(karmada, job.member, true) }),
  run: async ({ karmada }) => ({ changed: await restoreCluster(karmada, job.member) }),
})

/** Karmada has no way to the member any more; the tunnel itself still has. */
const settledStep = (job: MemberJob): Step<World> => ({
  title: 'karmada-agent restarted, Ready',
  async run(world, progress) {
    if (job.client) await agentRolledOut(job.client, job.member, world, progress)
    else await rolledOutThroughTunnel(world, job, progress)
    await clusterReady(world, job.member, progress)
    return { changed: false }
  },
})

async function agentRolledOut(client: KubeClient, member: string, world: World, progress: Progress): Promise<void> {
  const deployments = await client.list<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment' })
  const { metadata } = findAgent(deployments, member).deployment
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name, namespace: metadata.namespace }
  await waitFor<Deployment>(client, ref, rolledOut, waiting(world, progress))
}

async function rolledOutThroughTunnel(world: World, job: MemberJob, progress: Progress): Promise<void> {
  const { host, karmada, settings, signal } = world
  const pod = (await serverPods(host, job.member, settings.namespace)).find(isReadyPod)
  if (!pod) return
  const login = await memberLogin(karmada, await karmada.get<Cluster>(clusterRef(job.member)))
  const route = { apiServer: job.apiServer, port: connectPort, login }
  const deadline = Date.now() + world.timeoutMs
  while (Date.now() < deadline) {
    const { text } = await getThroughTunnel(host, podRef(pod), route, '/apis/apps/v1/deployments', signal)
    const { deployment } = findAgent((JSON.parse(text) as { items: Deployment[] }).items, job.member)
    const missing = rolledOut(deployment)
    if (missing === true) return
    progress(missing)
    await pause(500, signal)
  }
}

const agentGoneStep = (job: MemberJob): Step<World> => ({
  title: 'Agent removed',
  async run(world, progress) {
    const { karmada, settings } = world
    const ref = workRef(job.member, workName)
    const work = await karmada.find<Work>(ref)
    if (work && isOurs(work)) {
      await karmada.delete(ref)
      // Its finalizer goes once karmada-agent has deleted what it brought.
      await waitForGone(karmada, ref, waiting(world, progress))
      return { changed: true }
    }
    if (!job.client) return { changed: false, detail: 'was not delivered through Karmada' }
    const count = await deleteLabelled(
      job.client,
      memberKinds,
      memberSelector(job.member).replace('anp-server', 'anp-agent'),
      job.memberNamespace,
    )
    return { changed: count > 0, detail: `${count} objects in ${settings.namespace}` }
  },
})

const serverGoneStep = (job: MemberJob): Step<World> => ({
  title: 'Proxy server removed',
  async run({ host, settings }) {
    const count = await deleteLabelled(host, hostKinds, memberSelector(job.member), settings.namespace)
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

const selector = (component: string): string =>
  `${Object.entries(managedBy).map(([label, value]) => `${label}=${value}`)},app.kubernetes.io/component=${component}`

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
  namespace: string,
): Promise<number> {
  let count = 0
  for (const kind of kinds) {
    const objects = await client.list<KubeObject>({ ...kind, namespace, labelSelector })
    for (const { metadata } of objects.filter(isOurs)) {
      if (await client.delete({ ...kind, namespace, name: metadata.name })) count++
    }
  }
  return count
}

const isOurs = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.['app.kubernetes.io/managed-by'] === managedBy['app.kubernetes.io/managed-by']
