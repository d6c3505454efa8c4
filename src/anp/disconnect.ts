import { UserError } from '../errors.ts'
import type { Deployment } from '../karmada/agent.ts'
import { type Cluster, clusterRef, memberThroughKarmada } from '../karmada/cluster.ts'
import { rolledOut, waitFor } from '../kube/wait.ts'
import type { Step, StepGroup } from '../steps/step.ts'
import { agentRef, readAgent, restoreAgent } from './agent-flags.ts'
import { asItWas, clusterStep } from './cluster-spec.ts'
import { isConnected } from './preflight.ts'
import { clusterReady, waiting } from './ready.ts'
import { agentGoneStep, type Leaving, serverGoneStep } from './remove.ts'
import type { World } from './world.ts'

/**
 * Puts one member back as it was. karmada-agent is patched through the tunnel, so that goes after. Between its flags and Cluster.spec
 * lies no wait: an agent that starts in between with other values than its Cluster's would crash.
 */
export const disconnectGroup = (job: Leaving): StepGroup<World> => ({
  title: job.member,
  steps: [
    agentFlagsStep(job),
    clusterStep(job.member, 'Cluster.spec, as it was', () => asItWas),
    agentGoneStep(job),
    settledStep(job),
    serverGoneStep(job),
  ],
})

const agentFlagsStep = (job: Leaving): Step<World> => ({
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

const settledStep = (job: Leaving): Step<World> => ({
  title: 'karmada-agent Ready',
  async run(world, progress) {
    if (job.client) {
      const agent = await readAgent(job.client, job.member)
      await waitFor<Deployment>(job.client, agentRef(agent), rolledOut, waiting(world, progress))
    }
    await clusterReady(world, job.member, progress)
    return { changed: false }
  },
})
