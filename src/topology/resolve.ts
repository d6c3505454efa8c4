import { UserError } from '../errors.ts'
import type { KubeClient } from '../kube/types.ts'
import { isReached } from './access.ts'
import { contextsIn } from './certain.ts'
import { chooseHost } from './choose-host.ts'
import { choosePlane, unreached } from './choose-plane.ts'
import { resolveMembers } from './members.ts'
import type { Fleet, FleetHost, FleetPlane, Host, Plane, Selection } from './types.ts'

export interface ResolveOptions {
  /** Makes the client of a context. */
  clientOf: (context: string) => KubeClient
  /** The kubeconfig's current-context: says which plane is meant, and is preferred among contexts of the same cluster. */
  currentContext?: string | undefined
}

/**
 * The control plane to work on, with its host and members.
 * Throws UserError when no plane fits or several do, when its host is not found or not reached, and for overrides that cannot be.
 */
export function resolvePlane(fleet: Fleet, selection: Selection, options: ResolveOptions): Plane {
  const named = contextsIn(selection)
  const silent = fleet.probes.find(probe => named.includes(probe.context) && !isReached(probe))
  if (silent !== undefined) throw unreached(silent)
  const plane = choosePlane(fleet, selection, options.currentContext)
  requireClusters(fleet, plane)
  const host = chooseHost(fleet, plane, selection)
  const context = preferred(plane.contexts, selection.context ?? options.currentContext)
  return {
    name: plane.name,
    context,
    client: options.clientOf(context),
    karmadaVersion: host.installation.karmadaVersion,
    host: { ...hostOf(host, options), clusterDomain: plane.facts.hub?.domain },
    members: resolveMembers(fleet, plane, selection, options.clientOf),
  }
}

/** Without the list of members a command would say that there are none. */
function requireClusters(fleet: Fleet, { contexts, facts }: FleetPlane): void {
  if (facts.clusters !== undefined) return
  const [context] = contexts
  const gap = fleet.probes.find(probe => probe.context === context)?.gaps.find(({ piece }) => piece === 'clusters')
  const hint = gap?.text.startsWith('may not')
    ? `ask who may: kubectl --context ${context} auth can-i list clusters.cluster.karmada.io`
    : `look at the API server behind it: kubectl --context ${context} get apiservice v1alpha1.cluster.karmada.io`
  throw new UserError(`context ${context}: ${gap?.text ?? 'could not list clusters'}`, { hint })
}

function hostOf({ contexts, installation }: FleetHost, { clientOf, currentContext }: ResolveOptions): Host {
  const context = preferred(contexts, currentContext)
  const { namespace, installedBy } = installation
  return { context, client: clientOf(context), namespace, installedBy, installation }
}

/** Contexts that lead to one cluster are as good as each other; the one that the user is in goes first. */
function preferred(contexts: string[], favourite: string | undefined): string {
  const context = contexts.find(context => context === favourite) ?? contexts[0]
  if (context === undefined) throw new Error('a cluster of the fleet without a context')
  return context
}
