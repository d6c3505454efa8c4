import type { Kubeconfig } from '../kube/kubeconfig.ts'
import { readFile } from '../kube/read-file.ts'
import type { KubeClient } from '../kube/types.ts'

/** Every cluster that the user can name, and the way there. */
export interface Contexts {
  kubeconfig: Kubeconfig
  /** One client per context, kept. Throws UserError for a context that cannot be used. */
  clientOf(context: string): KubeClient
}

/** A context to ask. */
export interface Target {
  context: string
  server: string
  /** Equal for contexts that differ in their namespace only, which have the same answers. */
  key: string
}

/** All contexts, in the kubeconfig's order. */
export function targetsOf({ contexts, clusters }: Kubeconfig): Target[] {
  return [...contexts.values()].map(({ name, cluster, user }) => ({
    context: name,
    server: clusters.get(cluster ?? '')?.server ?? '',
    key: JSON.stringify([cluster, user]),
  }))
}

export const contextNames = ({ contexts }: Kubeconfig): string[] => [...contexts.keys()]

/** The CA that a context trusts, as base64 of PEM; empty where it names none or the file cannot be read. */
export async function authorityOf({ contexts, clusters }: Kubeconfig, context: string): Promise<string> {
  const cluster = clusters.get(contexts.get(context)?.cluster ?? '')
  if (cluster?.certificateAuthorityData !== undefined) return cluster.certificateAuthorityData
  if (cluster?.certificateAuthority === undefined) return ''
  return readFile(cluster.certificateAuthority, 'base64').catch(() => '')
}
