import { UserError } from '../../errors.ts'
import type { ClusterSpec, ClusterState, MemberSpec } from '../cluster.ts'

/**
 * The state that `etcd up` works towards. Pure. What would need a life cycle of its own (members, version) is not `up`'s to change.
 * Throws UserError naming the command that does.
 */
export function mergeSpec(state: ClusterState, spec: ClusterSpec): ClusterState {
  // Before it has formed nothing depends on what an earlier run was told.
  if (!state.formed) return { ...state, spec, members: { ...fresh(spec), ...onlyOf(state, spec) } }
  const was = new Map(state.spec.members.map(member => [member.name, member]))
  const is = new Map(spec.members.map(member => [member.name, member]))
  for (const [name, member] of is) {
    const before = was.get(name)
    if (!before) throw new UserError(`${name} is not a member of ${spec.name} yet`, { hint: hintFor('add', member) })
    if (before.address !== member.address) {
      throw new UserError(`${name} has the address ${before.address}, not ${member.address}`, {
        hint: `kubectl karmada-net etcd member replace ${name} --member ${name}=${member.address} moves it`,
      })
    }
  }
  for (const name of was.keys()) {
    if (!is.has(name)) {
      throw new UserError(`${name} is a member of ${spec.name} and not in the inventory`, {
        hint: `kubectl karmada-net etcd member remove ${name}, or name all members`,
      })
    }
  }
  if (state.spec.version !== spec.version) {
    throw new UserError(`${spec.name} runs etcd ${state.spec.version}, not ${spec.version}`, {
      hint: `kubectl karmada-net etcd upgrade ${spec.version}`,
    })
  }
  // What is not said of backups does not end them: `etcd snapshot save --every never` does.
  const { backup } = state.spec
  return { ...state, spec: backup && !spec.backup ? { ...spec, backup } : spec }
}

const hintFor = (verb: string, { name, address }: MemberSpec) =>
  `kubectl karmada-net etcd member ${verb} ${name}=${address},...`

const fresh = ({ members, version }: ClusterSpec): ClusterState['members'] =>
  Object.fromEntries(members.map(({ name }) => [name, { generation: 1, version }]))

const onlyOf = (state: ClusterState, { members, version }: ClusterSpec): ClusterState['members'] =>
  Object.fromEntries(
    Object.entries(state.members)
      .filter(([name]) => members.some(member => member.name === name))
      .map(([name, member]) => [name, { ...member, version }]),
  )
