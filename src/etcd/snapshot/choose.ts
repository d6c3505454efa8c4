import { UserError } from '../../errors.ts'
import type { MemberStatus } from '../client/types.ts'
import type { MemberSpec } from '../cluster.ts'
import type { ClusterView, MemberView } from '../view.ts'

/** Members to take a snapshot from, the first first. */
export interface Sources {
  members: MemberSpec[]
  /** What the user has to know about it; undefined: nothing. */
  warning?: string | undefined
}

/** How many entries a member may be behind the leader. Under a writing load they are never all equal. */
const mayLag = 1000n

interface Answering {
  spec: MemberSpec
  status: MemberStatus
  latencyMs: number
}

/**
 * A follower, the quickest to answer, that has applied what the leader has; the leader when there is none; without a quorum whoever
 * has applied most, because then any copy is better than none. Throws UserError when nobody can give one. Pure.
 */
export function chooseSources(view: ClusterView, wanted?: string): Sources {
  const answering = view.members.flatMap(toAnswering)
  if (wanted !== undefined) return { members: [theOne(view, answering, wanted).spec] }
  const leader = answering.find(({ status }) => status.id === view.leader?.status?.id)
  if (!leader || !view.hasQuorum) return withoutQuorum(view, answering)
  const followers = answering
    .filter(({ status }) => status !== leader.status && !status.isLearner)
    .filter(({ status }) => leader.status.raftAppliedIndex - status.raftAppliedIndex <= mayLag)
    .toSorted((a, b) => a.latencyMs - b.latencyMs)
  return { members: [...followers, leader].map(({ spec }) => spec) }
}

function toAnswering({ spec, status, latencyMs = 0 }: MemberView): Answering | [] {
  return status && !isCorrupt(status) ? { spec, status, latencyMs } : []
}

/** Alarms of all members stand in the errors of each: `memberID:12345 alarm:CORRUPT `. */
const isCorrupt = ({ id, errors }: MemberStatus): boolean =>
  errors.some(error => error.includes(`memberID:${id} `) && error.includes('CORRUPT'))

function theOne(view: ClusterView, answering: readonly Answering[], name: string): Answering {
  const found = answering.find(({ spec }) => spec.name === name)
  if (found) return found
  const member = view.members.find(({ spec }) => spec.name === name)
  if (!member) {
    const names = view.members.map(({ spec }) => spec.name).join(', ')
    throw new UserError(`there is no member "${name}"`, { hint: `members: ${names}` })
  }
  throw new UserError(member.status ? `the data of ${name} are corrupt` : `${name} does not answer: ${whyNot(member)}`)
}

function withoutQuorum(view: ClusterView, answering: readonly Answering[]): Sources {
  const members = answering
    .toSorted((a, b) => Number(b.status.raftAppliedIndex - a.status.raftAppliedIndex))
    .map(({ spec }) => spec)
  const [first] = members
  if (!first) {
    const said = view.members.map(member => `${member.spec.name}: ${whyNot(member)}`).join('\n')
    throw new UserError(`no member can give a snapshot:\n${said}`, {
      hint: 'kubectl karmada-net etcd recover brings a cluster back from one data directory',
    })
  }
  const warning = `there is no quorum: the snapshot is of ${first.name} alone, which has applied most; what was written last may not be in it`
  return { members, warning }
}

const whyNot = ({ error, status }: MemberView): string =>
  error?.message ?? (status ? 'its data are corrupt' : 'no answer')
