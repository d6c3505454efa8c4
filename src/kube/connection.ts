import { UserError } from '../errors.ts'
import type { Kubeconfig, KubeconfigCluster, KubeconfigUser } from './kubeconfig.ts'

/** What kubectl's flags of the same names override. */
export interface Overrides {
  cluster?: string | undefined
  user?: string | undefined
  namespace?: string | undefined
  server?: string | undefined
  tlsServerName?: string | undefined
  insecureSkipTlsVerify?: boolean | undefined
  certificateAuthority?: string | undefined
  token?: string | undefined
  as?: string | undefined
  asGroups?: string[] | undefined
  asUid?: string | undefined
}

/** All that is needed to talk to one API server. */
export interface Connection {
  context: string
  namespace: string
  cluster: KubeconfigCluster & { server: string }
  user: KubeconfigUser
}

/**
 * The context that a command works in: the one asked for, else the current one.
 * Throws `UserError` when it is not there, or when none is chosen.
 */
export function chooseContext(kubeconfig: Kubeconfig, asked?: string | undefined): string {
  const name = asked || kubeconfig.currentContext
  if (!name) throw new UserError('the kubeconfig has no current context', { hint: knownContexts(kubeconfig) })
  if (!kubeconfig.contexts.has(name)) {
    throw new UserError(`context "${name}" does not exist`, { hint: knownContexts(kubeconfig) })
  }
  return name
}

/** A context with its cluster and user, after the overrides. Pure. Throws `UserError` for what the kubeconfig does not have. */
export function connectionOf(kubeconfig: Kubeconfig, contextName: string, overrides: Overrides = {}): Connection {
  const context = kubeconfig.contexts.get(chooseContext(kubeconfig, contextName))
  const clusterName = overrides.cluster || context?.cluster || ''
  const userName = overrides.user || context?.user || ''
  const cluster = kubeconfig.clusters.get(clusterName)
  if (!cluster && !overrides.server) {
    throw new UserError(`cluster "${clusterName}" of context "${contextName}" is not in the kubeconfig`)
  }
  const user = kubeconfig.users.get(userName)
  if (!user && userName) throw new UserError(`user "${userName}" of context "${contextName}" is not in the kubeconfig`)
  return {
    context: contextName,
    namespace: overrides.namespace || context?.namespace || 'default',
    cluster: clusterWith(cluster ?? { name: clusterName }, overrides, contextName),
    user: userWith(user ?? { name: userName }, overrides),
  }
}

function clusterWith(cluster: KubeconfigCluster, overrides: Overrides, context: string): Connection['cluster'] {
  const server = overrides.server || cluster.server
  if (!server) throw new UserError(`cluster "${cluster.name}" of context "${context}" has no server`)
  const url = URL.parse(server.includes('://') ? server : `http://${server}`)
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname) {
    throw new UserError(`server "${server}" of cluster "${cluster.name}" is not an http:// or https:// URL`)
  }
  const merged = { ...cluster, server: `${url.origin}${url.pathname.replace(/\/+$/, '')}` }
  // Another server has another name; the kubeconfig's would be wrong for it.
  if (overrides.server || overrides.tlsServerName) merged.tlsServerName = overrides.tlsServerName || undefined
  if (overrides.insecureSkipTlsVerify || overrides.certificateAuthority) {
    merged.insecureSkipTlsVerify = overrides.insecureSkipTlsVerify
    merged.certificateAuthority = overrides.certificateAuthority
    merged.certificateAuthorityData = undefined
  }
  if (merged.insecureSkipTlsVerify && (merged.certificateAuthority || merged.certificateAuthorityData)) {
    throw new UserError(
      `cluster "${cluster.name}" has a certificate authority and insecure-skip-tls-verify; only one is allowed`,
    )
  }
  return merged
}

function userWith(user: KubeconfigUser, overrides: Overrides): KubeconfigUser {
  const merged = { ...user }
  if (overrides.token) {
    merged.token = overrides.token
    merged.tokenFile = undefined
  }
  if (overrides.as) merged.as = overrides.as
  if (overrides.asUid) merged.asUid = overrides.asUid
  if (overrides.asGroups?.length) merged.asGroups = overrides.asGroups
  if (!merged.as && (merged.asUid || merged.asGroups?.length || merged.asUserExtra)) {
    throw new UserError('a group, uid or extra field can only be impersonated together with a user', {
      hint: 'add --as USER',
    })
  }
  return merged
}

function knownContexts(kubeconfig: Kubeconfig): string | undefined {
  const names = [...kubeconfig.contexts.keys()]
  return names.length ? `contexts: ${names.join(', ')}` : 'set KUBECONFIG or --kubeconfig'
}
