import { UserError } from '../../errors.ts'
import { suggest } from '../../suggest.ts'
import type { ClusterState, MemberSpec } from '../cluster.ts'
import type { Objection } from './rules.ts'

const program = 'kubectl karmada-net'

/** Throws the objection as the user reads it, but one that is merely unwise where it is forced. */
export function refuse(
  objection: Objection | undefined,
  { force = false }: { force?: boolean | undefined } = {},
): void {
  if (!objection || (objection.unwise && force)) return
  const { text, hint, unwise } = objection
  throw new UserError(text, { hint: unwise ? `${withProgram(hint)}; --force does it all the same` : withProgram(hint) })
}

/** A command that begins a hint can be pasted as it stands. */
const withProgram = (hint: string | undefined): string | undefined =>
  hint?.replace(/(^|: )etcd (?=[a-z])/g, `$1${program} etcd `)

/** Throws UserError that suggests the name that was meant. */
export function requireMember({ spec }: ClusterState, name: string): MemberSpec {
  const found = spec.members.find(member => member.name === name)
  if (found) return found
  const names = spec.members.map(member => member.name)
  const meant = suggest(name, names)
  throw new UserError(`etcd cluster ${spec.name} has no member "${name}"`, {
    hint: meant ? `did you mean ${meant}?` : `members: ${names.join(', ')}`,
  })
}
