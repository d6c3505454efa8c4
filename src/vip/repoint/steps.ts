import type { Step } from '../../steps/step.ts'
import type { Installation, VipWorld } from '../world.ts'
import { clusterInfoBackStep, clusterInfoStep } from './cluster-info.ts'
import type { RepointJob } from './job.ts'
import { kubeProxyBackStep, kubeProxyStep } from './kube-proxy.ts'
import { kubeletStep, kubeletsBackStep } from './kubelet-steps.ts'

/** The clients that are to use the virtual IP; those that are still to come, by cluster-info, when all others do. */
export const repointSteps = (job: RepointJob): Step<VipWorld>[] => [
  ...(job.repoint.some(client => client.endsWith('kubelet')) ? [kubeletStep(job)] : []),
  ...(job.repoint.includes('kube-proxy') ? [kubeProxyStep(job)] : []),
  ...(job.repoint.includes('cluster-info') ? [clusterInfoStep(job)] : []),
]

/** Everything back where it was, before the virtual IP goes. */
export const backSteps = (found: Installation): Step<VipWorld>[] => [
  kubeletsBackStep(found),
  kubeProxyBackStep,
  clusterInfoBackStep,
]
