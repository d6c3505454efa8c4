import type { Step } from '../../steps/step.ts'
import type { Installation, VipWorld } from '../world.ts'
import { clusterInfoBackStep, clusterInfoStep, joinTarget } from './cluster-info.ts'
import type { RepointJob } from './job.ts'
import { kubeProxyBackStep, kubeProxyStep, movable } from './kube-proxy.ts'
import { kubeletStep, kubeletsBackStep } from './kubelet-steps.ts'

/** Before anything is changed: can they be moved at all? */
export const movableSteps = (job: RepointJob): Step<VipWorld>[] => {
  const { repoint } = job
  if (repoint.length === 0) return []
  const check = async (world: VipWorld) => {
    if (repoint.includes('kube-proxy')) await movable(job, world)
    if (repoint.includes('cluster-info')) await joinTarget(job, world)
  }
  const run = async (world: VipWorld) => {
    await check(world)
    return { changed: false, detail: repoint.join(', ') }
  }
  return [{ title: 'Clients can be moved', guard: check, run, dryRun: run }]
}

/** The clients that are to use the virtual IP; those that are still to come, by cluster-info, when all others do. */
export const repointSteps = (job: RepointJob): Step<VipWorld>[] => [
  ...(job.repoint.some(client => client.endsWith('kubelet')) ? [kubeletStep(job)] : []),
  ...(job.repoint.includes('kube-proxy') ? [kubeProxyStep(job)] : []),
  ...(job.repoint.includes('cluster-info') ? [clusterInfoStep(job)] : []),
]

/** Everything back where it was, before the virtual IP goes. `asked`: is told the nodes whose kubelets could be asked. */
export const backSteps = (found: Installation, asked: Set<string>): Step<VipWorld>[] => [
  kubeletsBackStep(found, asked),
  kubeProxyBackStep,
  clusterInfoBackStep,
]
