import type { V1Deployment } from '@kubernetes/client-node'
import { UserError } from '../errors.ts'
import type { KubeObject, Wire } from './types.ts'

type Deployment = KubeObject & Pick<Wire<V1Deployment>, 'spec' | 'status'>

/**
 * A check for `waitFor`: do all replicas run the Deployment as it is now written?
 * Throws `UserError` when Kubernetes itself gave up on it (progress deadline).
 */
export function rolledOut(deployment: Deployment | undefined): true | string {
  if (!deployment) return 'the Deployment is not there'
  const { metadata, spec, status } = deployment
  const wanted = spec?.replicas ?? 1
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return 'the change is not yet seen by its controller'
  const progressing = status?.conditions?.find(condition => condition.type === 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    throw new UserError(
      `Deployment ${metadata.namespace}/${metadata.name} made no progress in time: ${progressing.message}`,
    )
  }
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {}
  if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} replicas updated`
  if (replicas > updatedReplicas) return `${replicas - updatedReplicas} old replicas still running`
  if (availableReplicas < wanted) return `${availableReplicas} of ${wanted} replicas available`
  return true
}
