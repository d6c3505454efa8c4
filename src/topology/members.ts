import { UserError } from '../errors.ts'
import type { KubeClient } from '../kube/types.ts'
import { suggest } from '../suggest.ts'
import { reached } from './choose-plane.ts'
import type { Fleet, FleetMember, FleetPlane, Member, Plane, Selection, SyncMode } from './types.ts'

/** The plane's members, each with the context that leads to it, found or given. Throws UserError for an override that cannot be. */
export function resolveMembers(
  fleet: Fleet,
  plane: FleetPlane,
  { memberContext = {} }: Selection,
  clientOf: (context: string) => KubeClient,
): Member[] {
  for (const name of Object.keys(memberContext)) find(plane, name)
  return plane.members.map(member => {
    const { name, mode, cluster, contexts } = member
    const given = memberContext[name]
    const context = given === undefined ? contexts[0] : verified(fleet, member, given)
    return context === undefined ? { name, mode, cluster } : { name, mode, cluster, context, client: clientOf(context) }
  })
}

/** A wrong --member-context would write one member's keys into another: the kube-system UID settles it. */
function verified(fleet: Fleet, { name, cluster }: FleetMember, context: string): string {
  const { uid } = reached(fleet, context)
  const { id } = cluster.spec
  if (uid === undefined || id === undefined || uid === id) return context
  const other = fleet.rows.find(row => row.context === context)?.cluster
  const instead =
    other === undefined ? `has kube-system UID ${uid}; member ${name} has ${id}` : `is ${other}, not ${name}`
  throw new UserError(`context ${context} ${instead}`, {
    hint: 'contexts of members are found without --member-context; see them: kubectl karmada-net contexts',
  })
}

export interface MemberSelection {
  names?: readonly string[] | undefined
  /** Every member (of `mode`). */
  all?: boolean | undefined
  /** What the command is for; a member named by the user that is joined otherwise is an error. */
  mode?: SyncMode | undefined
}

/** The members that a command works on. Throws UserError when one is unknown or of the wrong mode, or when none is left. */
export function selectMembers(
  plane: Pick<Plane, 'name' | 'members'>,
  { names = [], all = false, mode }: MemberSelection,
): Member[] {
  const fitting = plane.members.filter(member => mode === undefined || member.mode === mode)
  if (names.length > 0) return [...new Set(names)].map(name => fits(find(plane, name), fitting, mode))
  const kind = mode === undefined ? '' : `${mode.toLowerCase()}-mode `
  if (fitting.length === 0) throw new UserError(`plane ${plane.name} has no ${kind}members`, { hint: joinHint(mode) })
  if (all) return fitting
  throw new UserError('no member named', { hint: `name some of ${list(fitting)}, or all ${kind}members: --all` })
}

const joinHint = (mode: SyncMode | undefined): string =>
  mode === 'Push' ? 'join one: karmadactl join --help' : 'register one: karmadactl register --help'

function fits(member: Member, fitting: Member[], mode: SyncMode | undefined): Member {
  if (mode === undefined || member.mode === mode) return member
  const { name, cluster } = member
  const meaning =
    member.mode === 'Push'
      ? `in push mode: Karmada reaches it at ${cluster.spec.apiEndpoint ?? 'its own address'} without a tunnel`
      : 'in pull mode: its own agent talks to Karmada'
  const hint = fitting.length > 0 ? `${mode.toLowerCase()}-mode members here: ${list(fitting)}` : joinHint(mode)
  throw new UserError(`cluster "${name}" is joined ${meaning}`, { hint })
}

function find<M extends { name: string }>(plane: { name: string; members: M[] }, name: string): M {
  const member = plane.members.find(member => member.name === name)
  if (member !== undefined) return member
  const names = plane.members.map(({ name }) => name)
  const near = suggest(name, names)
  const known = names.length > 0 ? `clusters here: ${names.join(', ')}` : joinHint(undefined)
  throw new UserError(`no cluster "${name}" in plane ${plane.name}`, {
    hint: near === undefined ? known : `did you mean ${near}?`,
  })
}

const list = (members: { name: string }[]): string => members.map(({ name }) => name).join(', ')
