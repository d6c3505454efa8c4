import { UserError } from '../errors.ts'
import type { Agent } from '../karmada/agent.ts'
import { type Cluster, readyCondition } from '../karmada/cluster.ts'
import { previous } from './names.ts'

/** What a tunnel is going to say in Cluster.spec and in karmada-agent's flags. */
export interface Wanted {
  apiEndpoint: string
  proxyUrl: string
}

/** Throws `UserError` for a member that cannot be connected as it stands. Reads only. */
export function checkCluster(cluster: Cluster, wanted: Wanted, force: boolean): void {
  const { name } = cluster.metadata
  const ready = readyCondition(cluster)
  if (ready?.status !== 'True') {
    throw new UserError(`cluster "${name}" is not ready: ${ready?.message || ready?.reason || 'no status yet'}`, {
      hint: `see that its karmada-agent runs and reaches the control plane: kubectl get cluster ${name} -o yaml`,
    })
  }
  const { secretRef, impersonatorSecretRef, proxyURL } = cluster.spec
  if (!secretRef || !impersonatorSecretRef) {
    throw new UserError(
      `cluster "${name}" is registered without secrets: Karmada could not log in to it through a tunnel`,
      {
        hint: 'start its karmada-agent with --report-secrets=KubeCredentials,KubeImpersonator and register it again',
      },
    )
  }
  if (proxyURL && proxyURL !== wanted.proxyUrl && !force) {
    throw new UserError(`cluster "${name}" already has proxyURL ${proxyURL}`, { hint: 'replace it with --force' })
  }
}

/** Throws `UserError` when a person gave karmada-agent another proxy; with `force` it is replaced and remembered. */
export function checkAgent(agent: Agent, member: string, wanted: Wanted, force: boolean): void {
  const proxy = agent.flags['--proxy-server-address']
  if (!proxy || proxy === wanted.proxyUrl || force) return
  throw new UserError(`karmada-agent of ${member} already has --proxy-server-address=${proxy}`, {
    hint: `replace it with --force; anp down ${member} puts it back`,
  })
}

/** Do Cluster.spec and karmada-agent's flags say the same? If not, its next restart is a crash loop (it may not update Cluster). */
export const agrees = (agent: Agent, { spec }: Cluster): boolean =>
  (agent.flags['--cluster-api-endpoint'] ?? '') === (spec.apiEndpoint ?? '') &&
  (agent.flags['--proxy-server-address'] ?? '') === (spec.proxyURL ?? '')

/** Was this Cluster connected by `anp up`? */
export const isConnected = ({ metadata }: Cluster): boolean => metadata.annotations?.[previous.proxyUrl] !== undefined
