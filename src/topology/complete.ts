import { type Cluster, clusterType } from '../karmada/cluster.ts'
import { type Contexts, contextNames } from './contexts.ts'

/**
 * The plane's members for completion: from the context that was named or is current, else from the first that answers with any.
 * Never throws; empty when nothing answered within `timeoutMs`.
 */
export async function membersForCompletion(
  { clientOf, kubeconfig }: Contexts,
  context: string | undefined,
  timeoutMs = 1000,
): Promise<Cluster[]> {
  const signal = AbortSignal.timeout(timeoutMs)
  const list = async (name: string) => clientOf(name).list<Cluster>(clusterType, { signal, timeoutMs })
  try {
    if (context !== undefined) return await list(context)
    const asked = contextNames(kubeconfig).map(name => ({ name, clusters: list(name) }))
    const any = Promise.any(asked.map(({ clusters }) => clusters.then(some)))
    const current = asked.find(({ name }) => name === kubeconfig.currentContext)
    return await (current?.clusters.then(some).catch(() => any) ?? any)
  } catch {
    return []
  }
}

/** One of several planes may be empty. */
function some(clusters: Cluster[]): Cluster[] {
  if (clusters.length === 0) throw new Error('no members')
  return clusters
}
