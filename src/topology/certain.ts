import { isReached } from './access.ts'
import { planesAround } from './choose-plane.ts'
import { classify } from './classify.ts'
import type { Target } from './contexts.ts'
import { allApiServersIn } from './evidence.ts'
import type { FleetPlane, Probe, Selection } from './types.ts'

/** The contexts that the user named. */
export const contextsIn = ({ context, hostContext, memberContext }: Selection): string[] =>
  [context, hostContext, ...Object.values(memberContext ?? {})].filter(context => context !== undefined)

/** No context that is still silent could change the plane and the host that the selection leads to, or the error. */
export function isCertain(
  probes: Probe[],
  targets: Target[],
  selection: Selection,
  currentContext: string | undefined,
): boolean {
  const answered = new Set(probes.map(({ context }) => context))
  const named = contextsIn(selection)
  if (probes.some(probe => named.includes(probe.context) && !isReached(probe))) return true
  if (named.some(context => !answered.has(context))) return false
  const { planes } = classify(probes)
  const plane = anchoredPlane(planes, probes, selection, currentContext)
  // Named, and no plane: an error. Whose host it is makes a better one.
  if (plane === undefined) return selection.context !== undefined && planesAround(planes, selection.context).length > 0
  return selection.hostContext !== undefined || hasAllHosts(plane, targets, answered)
}

/** The plane that we stand in, or the only one of the host that we stand in. */
function anchoredPlane(
  planes: FleetPlane[],
  probes: Probe[],
  selection: Selection,
  currentContext: string | undefined,
): FleetPlane | undefined {
  const anchor = selection.context ?? currentContext
  const own = planes.find(({ contexts }) => contexts.some(context => context === anchor))
  if (own !== undefined || selection.context !== undefined) return own
  const installations = probes.find(({ context }) => context === anchor)?.installations ?? []
  return installations.length === 1
    ? planes.find(({ hosts }) => hosts.some(host => host.installation === installations[0]))
    : undefined
}

/** Every API server of the plane runs in hosts that are known, and whoever else leads to these has answered, too. */
function hasAllHosts({ hosts, facts }: FleetPlane, targets: Target[], answered: Set<string>): boolean {
  const installations = hosts.map(({ installation }) => installation)
  if (!allApiServersIn(installations, facts)) return false
  const contexts = new Set(hosts.flatMap(host => host.contexts))
  const servers = new Set(targets.filter(({ context }) => contexts.has(context)).map(({ server }) => server))
  return targets.every(({ context, server }) => !servers.has(server) || answered.has(context))
}
