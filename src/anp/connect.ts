import { UserError } from '../errors.ts'
import { type Deployment, findAgent } from '../karmada/agent.ts'
import { type Cluster, clusterRef, memberThroughKarmada } from '../karmada/cluster.ts'
import { podTrouble, rolledOut, waitFor } from '../kube/wait.ts'
import { applyAll, planned } from '../steps/objects.ts'
import type { Progress, Step, StepGroup } from '../steps/step.ts'
import { agentRef, connectAgent, readAgent } from './agent-flags.ts'
import { firstExpiry } from './certificates.ts'
import { clusterStep, connectedBy } from './cluster-spec.ts'
import { courierOf } from './deliver.ts'
import { getThroughTunnel } from './dial.ts'
import { certificatesOnce } from './keys.ts'
import { memberLogin } from './login.ts'
import { connectPort, proxyUrl } from './names.ts'
import { agentObjects, secretObjects, serverObjects } from './plan.ts'
import { checkAgent, checkCluster, type Wanted } from './preflight.ts'
import { allReady, clusterReady, reachThroughKarmada, waiting } from './ready.ts'
import { agentGoneStep, gatewayGoneStep, serverGoneStep } from './remove.ts'
import { isReadyPod, podRef, podSelector, serverPods, serverRef } from './servers.ts'
import { apiEndpointOf, hostPort } from './settings.ts'
import { type MemberJob, throwIfRefused, tunnelSettings, type World } from './world.ts'

/** What Cluster.spec and karmada-agent's flags are to say. */
export const wantedOf = (
  { settings }: Pick<World, 'settings'>,
  job: Pick<MemberJob, 'member' | 'apiServer'>,
): Wanted => ({
  apiEndpoint: apiEndpointOf(job),
  proxyUrl: proxyUrl(job.member, settings.namespace),
})

/**
 * Connects one member. Karmada and karmada-agent are touched only once the tunnel has proved itself, and in the order that never
 * makes the agent crash: Cluster.spec first, then its flags.
 */
export function connectGroup(job: MemberJob, { alone }: { alone: boolean }): StepGroup<World> {
  const renewal = certificatesOnce()
  const settingsOf = (world: World) => tunnelSettings(world, job)
  const keysOf = (world: World) => {
    const { member, namespace, gateway } = settingsOf(world)
    return renewal(world.host, member, namespace, gateway.host, world.now())
  }
  const keys = async (world: World) => (await keysOf(world)).certificates
  const state: JobState = { alone, fresh: false }
  return {
    title: job.member,
    steps: [
      certificatesStep(job.member, async world => secretObjects(settingsOf(world), await keys(world)), keysOf),
      serverStep(job.member, state, async world => serverObjects(settingsOf(world), await keys(world), world.admitted)),
      agentStep(job, async world => agentObjects(settingsOf(world), await keys(world))),
      tunnelStep(job, state),
      clusterStep(job.member, 'Cluster.spec: apiEndpoint, proxyURL', world => connectedBy(wantedOf(world, job))),
      agentFlagsStep(job),
      verifiedStep(job),
    ],
  }
}

interface JobState {
  /** No other member is being connected. */
  alone: boolean
  /** This run made the tunnel: what was not there before may be taken away again. */
  fresh: boolean
}

type Objects = (world: World) => Promise<ReturnType<typeof agentObjects>>
type Keys = (world: World) => ReturnType<ReturnType<typeof certificatesOnce>>

const certificatesStep = (member: string, objects: Objects, keysOf: Keys): Step<World> => ({
  title: 'Certificates',
  objects: async world => planned(`host ${world.hostName}`, await objects(world)),
  dryRun: async world => applyAll(world.host, await objects(world), world, true),
  async run(world) {
    throwIfRefused(world, member)
    const { changed } = await applyAll(world.host, await objects(world), world)
    const { certificates, made } = await keysOf(world)
    const until = `valid until ${firstExpiry(certificates).toISOString().slice(0, 10)}`
    return { changed, detail: made.length ? `${made.length} made, ${until}` : `kept, ${until}` }
  },
})

const serverStep = (member: string, state: JobState, objects: Objects): Step<World> => ({
  title: 'Proxy server',
  objects: async world => planned(`host ${world.hostName}`, await objects(world)),
  dryRun: async world => applyAll(world.host, await objects(world), world, true),
  run: async world => {
    state.fresh = (await world.host.find(serverRef(member, world.settings.namespace))) === undefined
    const { changed } = await applyAll(world.host, await objects(world), world)
    return { changed, detail: changed ? 'applied' : 'as it is' }
  },
})

/** Delivers the agent and waits until every proxy-server has one: that is what makes a server pod ready. */
function agentStep(job: MemberJob, objects: Objects): Step<World> {
  const courier = courierOf(job)
  return {
    title: courier.title,
    objects: async world => courier.planned(await objects(world)),
    dryRun: async world => courier.apply(world, await objects(world), true),
    async run(world, progress) {
      const { host, settings, signal, timeoutMs } = world
      const { changed } = await courier.apply(world, await objects(world))
      try {
        await waitFor<Deployment>(host, serverRef(job.member, settings.namespace), allReady('connected'), {
          timeoutMs,
          signal,
          onProgress: progress,
        })
      } catch (error) {
        signal.throwIfAborted()
        throw await notConnected(world, job, error)
      }
      return { changed, detail: `${settings.replicas}/${settings.replicas} connected` }
    },
  }
}

async function notConnected(world: World, job: MemberJob, cause: unknown): Promise<UserError> {
  const { host, settings, gateway } = world
  const undelivered = await courierOf(job).trouble(world)
  if (undelivered) return new UserError(`the agent was not applied in ${job.member}: ${undelivered}`, { cause })
  const trouble = await podTrouble(host, settings.namespace, podSelector('anp-server', job.member))
  const address = gateway ? hostPort(gateway) : 'the gateway'
  return new UserError(
    `no agent of ${job.member} connected to ${address} in ${world.timeoutMs / 1000}s${trouble ? `\n${trouble}` : ''}`,
    {
      hint: `pods of ${job.member} must reach ${address} by TCP; another address: --address HOST[:PORT]`,
      cause,
    },
  )
}

/** Goes the whole way by hand before Karmada is told to; a tunnel that was made for a member that is unfit goes again. */
const tunnelStep = (job: MemberJob, state: JobState): Step<World> => ({
  title: 'Tunnel and karmada-agent checked',
  async run(world, progress) {
    try {
      await checkTunnel(world, job)
    } catch (error) {
      if (!state.fresh || !(error instanceof UserError)) throw error
      await takeBack(job, state, world, progress)
      throw error
    }
    return { changed: false, detail: `${hostPort(job.apiServer)}, name and authority are right` }
  },
})

/** Another member that is on its way may rely on the gateway already, without a server yet. */
async function takeBack(job: MemberJob, { alone }: JobState, world: World, progress: Progress): Promise<void> {
  const gateway = alone && world.gatewayIsNew ? [gatewayGoneStep] : []
  for (const step of [agentGoneStep(job), serverGoneStep(job), ...gateway]) await step.run(world, progress)
}

/** CONNECT, the API server's name and authority, karmada-agent as it must be. Throws `UserError`. */
async function checkTunnel({ host, karmada, settings, signal, force }: World, job: MemberJob): Promise<void> {
  const cluster = await karmada.get<Cluster>(clusterRef(job.member))
  const wanted = wantedOf({ settings }, job)
  checkCluster(cluster, wanted, force)
  const pod = (await serverPods(host, job.member, settings.namespace)).find(isReadyPod)
  if (!pod)
    throw new UserError(`no proxy server of ${job.member} is ready any more`, { hint: 'run the same command again' })
  const route = { apiServer: job.apiServer, port: connectPort, login: await memberLogin(karmada, cluster) }
  const answer = await getThroughTunnel(host, podRef(pod), route, '/apis/apps/v1/deployments', signal)
  if (answer.status !== 200) {
    throw new UserError(`the API server of ${job.member} answers Karmada's own login with ${answer.status}`, {
      hint: `the Secret of Cluster ${job.member} is out of date: register the cluster again`,
    })
  }
  const deployments = (JSON.parse(answer.text) as { items: Deployment[] }).items
  checkAgent(findAgent(deployments, job.member), job.member, wanted, force)
}

const agentFlagsStep = (job: MemberJob): Step<World> => {
  const byContext = job.deliver === 'context' ? job.client : undefined
  return {
    title: byContext ? 'karmada-agent flags' : 'karmada-agent flags, patched through the tunnel',
    async run(world, progress) {
      const member = byContext ?? memberThroughKarmada(world.karmada, job.member)
      if (!byContext) await reachThroughKarmada(world, job.member, progress)
      const changed = await connectAgent(member, job.member, wantedOf(world, job))
      const agent = changed ?? (await readAgent(member, job.member))
      await waitFor<Deployment>(member, agentRef(agent), rolledOut, waiting(world, progress))
      await clusterReady(world, job.member, progress)
      return { changed: changed !== undefined, detail: changed ? 'restarted once, Ready' : 'as they are' }
    },
  }
}

const verifiedStep = (job: MemberJob): Step<World> => ({
  title: 'Verified',
  async run(world, progress) {
    const ms = await reachThroughKarmada(world, job.member, progress)
    return { changed: false, detail: `GET /readyz through clusters/${job.member}/proxy: ${ms} ms` }
  },
})
