import { UserError } from '../errors.ts'
import { suggest } from '../suggest.ts'
import { isReached } from './access.ts'
import type { Fleet, FleetPlane, Probe, Selection } from './types.ts'

export const seeContexts = 'see who is who: kubectl karmada-net contexts'

/**
 * The plane that `--context` names; without it the one that the current context is, hosts or is a member of, or the only one there is.
 * Throws UserError when none fits or several do.
 */
export function choosePlane(fleet: Fleet, { context }: Selection, currentContext?: string): FleetPlane {
  if (context !== undefined) return planeOfContext(fleet, context)
  const near = currentContext === undefined ? [] : planesAround(fleet.planes, currentContext)
  const fitting = near.length > 0 ? near : fleet.planes
  const [first, ...others] = fitting
  if (first === undefined) throw noPlane(fleet)
  if (others.length === 0) return first
  throw new UserError(`${fitting.length} Karmada control planes fit: ${fitting.map(described).join(', ')}`, {
    hint: `say which: --context ${first.contexts[0]}`,
  })
}

const described = ({ name, contexts }: FleetPlane): string =>
  name === contexts[0] ? name : `${name} (context ${contexts.join(', ')})`

/** The plane that the context is; else those that it hosts or is a member of. */
export function planesAround(planes: FleetPlane[], context: string): FleetPlane[] {
  const own = planes.filter(({ contexts }) => contexts.includes(context))
  if (own.length > 0) return own
  return planes.filter(({ hosts, members }) =>
    [...hosts, ...members].some(({ contexts }) => contexts.includes(context)),
  )
}

function planeOfContext(fleet: Fleet, context: string): FleetPlane {
  const probe = reached(fleet, context)
  const plane = fleet.planes.find(({ contexts }) => contexts.includes(context))
  if (plane !== undefined) return plane
  const near = planesAround(fleet.planes, context)
  const known = (near.length > 0 ? near : fleet.planes).flatMap(({ contexts }) => contexts[0] ?? [])
  const role = fleet.rows.find(row => row.context === context)?.role
  const instead = near.length > 0 && (role === 'host' || role === 'member') ? `, but a ${role} of one` : ''
  throw new UserError(
    `context ${context} is not a Karmada control plane${instead}: ${probe.server} serves no clusters.cluster.karmada.io`,
    {
      hint: known.length > 0 ? `try ${known.map(name => `--context ${name}`).join(' or ')}` : seeContexts,
    },
  )
}

/** The context's probe. Throws UserError when there is no such context or it gave no answer. */
export function reached({ probes }: Fleet, context: string): Probe {
  const probe = probes.find(probe => probe.context === context)
  if (probe === undefined)
    throw unknownContext(
      context,
      probes.map(({ context }) => context),
    )
  if (isReached(probe)) return probe
  throw unreached(probe)
}

export const unreached = ({ context, note, access }: Probe): UserError =>
  new UserError(`context ${context} cannot be reached: ${note ?? access}`, { hint: seeContexts })

export function unknownContext(context: string, contexts: string[]): UserError {
  const near = suggest(context, contexts)
  const hint = near === undefined ? 'the contexts there are: kubectl config get-contexts' : `did you mean ${near}?`
  return new UserError(`context "${context}" does not exist`, { hint })
}

function noPlane({ probes }: Fleet): UserError {
  const n = probes.length
  if (n === 0) return new UserError('the kubeconfig has no contexts', { hint: 'name a kubeconfig: --kubeconfig FILE' })
  const silent = probes.filter(probe => !isReached(probe)).map(({ context }) => context)
  const reason = silent.length > 0 ? `; no answer from ${silent.join(', ')}` : ''
  const which = n === 1 ? `context ${probes[0]?.context} is no` : `none of the ${n} contexts is a`
  return new UserError(`${which} Karmada control plane${reason}`, { hint: seeContexts })
}
