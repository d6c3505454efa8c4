import { hexId } from '../client/types.ts'
import { quorumOf } from '../cluster.ts'
import type { Comparison } from '../same-data.ts'
import type { ClusterView, MemberView } from '../view.ts'

/** Why something may not be done now. */
export interface Objection {
  text: string
  hint?: string | undefined
  /** It would work, and is unwise: --force does it. */
  unwise?: boolean | undefined
}

/** What is needed of a view to count. */
export type Counted = Pick<ClusterView, 'members' | 'strangers' | 'leader'>

/** Voters that answer and follow the leader, and those that do not. Names, the ids of strangers. */
export interface Tally {
  voters: number
  up: string[]
  /** Also voters that the inventory does not have: nobody here can ask them. */
  down: string[]
  /** Entries that do not count yet. */
  learners: string[]
  /** Voters that say nothing at all, and those that do, be it that they know no leader. */
  silent: string[]
  answering: string[]
}

export function tally({ members, strangers, leader }: Counted): Tally {
  const voting = members.filter(({ member }) => member && !member.isLearner)
  const foreign = strangers.filter(({ isLearner }) => !isLearner).map(({ name, id }) => name || hexId(id))
  const isUp = ({ status, member }: MemberView) =>
    status !== undefined && status.id === member?.id && leader?.status?.id === status.leader
  const names = (fits: (member: MemberView) => boolean) => voting.filter(fits).map(({ spec }) => spec.name)
  const learners = [
    ...members.filter(({ member }) => member?.isLearner).map(({ spec }) => spec.name),
    ...strangers.filter(({ isLearner }) => isLearner).map(({ name, id }) => name || hexId(id)),
  ]
  return {
    voters: voting.length + foreign.length,
    up: names(isUp),
    down: [...names(member => !isUp(member)), ...foreign],
    learners,
    silent: names(({ status }) => status === undefined),
    answering: names(({ status }) => status !== undefined),
  }
}

/** A voter leaves: those who stay must be more than half of what is left, and carry the decision before that. */
export function whyNotRemove(view: Counted, name: string): Objection | undefined {
  const now = tally(view)
  const leaving = now.up.includes(name) || now.down.includes(name)
  if (!leaving) return now.learners.includes(name) ? noQuorum(now) : undefined
  const staying = { up: without(now.up, name), down: without(now.down, name), voters: now.voters - 1 }
  if (staying.voters === 0)
    return { text: `${name} is the last member: without it there is no cluster`, hint: 'kubectl karmada-net etcd down' }
  const lost = noQuorum(now)
  if (lost) return lost
  const needed = quorumOf(staying.voters)
  if (staying.up.length < needed) {
    return {
      text: `without ${name} ${staying.voters} voters are left, ${needed} of them must be up, and ${said(staying.up)} (down: ${staying.down.join(', ')})`,
      hint: `first bring back or replace what is down: kubectl karmada-net etcd member replace ${staying.down[0]}`,
    }
  }
  return undefined
}

/** Fewer members that survive fewer failures, or an even count that gains nothing. */
export function whyUnwiseToLeave(view: Counted, name: string): Objection | undefined {
  const { voters, up, down } = tally(view)
  if (!up.includes(name) && !down.includes(name)) return undefined
  const [before, after] = [voters, voters - 1].map(survives)
  if (after === undefined || before === undefined || after >= before) return undefined
  return {
    text: `${voters - 1} members survive the loss of ${after || 'none'}, ${voters} of ${before}: without ${name} ${quorumOf(voters - 1)} of ${voters - 1} must be up`,
    hint: `a member that is to come back on another disk or machine: kubectl karmada-net etcd member replace ${name}; fewer for good: kubectl karmada-net etcd scale ${voters - 2}`,
    unwise: true,
  }
}

/** One more than fits: an even count has one more to fail and survives no more. */
export function whyUnwiseToJoin(view: Counted, name: string): Objection | undefined {
  const { voters } = tally(view)
  if (voters % 2 === 0) return undefined
  return {
    text: `with ${name} there are ${voters + 1} members: ${quorumOf(voters + 1)} must be up, and they survive the loss of ${survives(voters + 1) || 'none'}, no more than ${voters} do`,
    hint: `add two: kubectl karmada-net etcd scale ${voters + 2} --member ${name}=... --member ...`,
    unwise: true,
  }
}

/** etcd counts the newcomer as a member that is down: the others must be more than half even so. */
export function whyNotAdd(view: Counted, name: string): Objection | undefined {
  const now = tally(view)
  const lost = noQuorum(now)
  if (lost) return lost
  const other = now.learners.find(learner => learner !== name)
  if (other !== undefined) {
    return {
      text: `${other} is a learner, and etcd has one learner at a time`,
      hint: `kubectl karmada-net etcd member promote ${other}, or: kubectl karmada-net etcd member remove ${other}`,
    }
  }
  // A learner that is there already has passed this.
  if (now.learners.includes(name) || now.voters === 1) return undefined
  const needed = quorumOf(now.voters + 1)
  if (now.up.length >= needed) return undefined
  return {
    text: `etcd takes a new member only while ${needed} of its ${now.voters} voters are up, and ${said(now.up)} (down: ${now.down.join(', ')})`,
    hint: `kubectl karmada-net etcd member replace ${now.down[0]}`,
  }
}

/** Its place is given up before it is taken anew: both must be possible. */
export function whyNotReplace(view: Counted, name: string): Objection | undefined {
  const now = tally(view)
  const counts = now.up.includes(name) || now.down.includes(name)
  if (!counts) return whyNotAdd(view, name)
  const others = { up: without(now.up, name), voters: now.voters - 1 }
  if (others.voters === 0) {
    return {
      text: `${name} is the only member: replaced, its data would be lost`,
      hint: 'kubectl karmada-net etcd snapshot save FILE, or more members first: kubectl karmada-net etcd scale 3 --member ...',
    }
  }
  // Also what etcd asks for to take a new member once this one is out.
  const needed = quorumOf(now.voters)
  if (others.up.length < needed) {
    const hint =
      now.silent.length === 0
        ? 'one more member first: kubectl karmada-net etcd member add NAME=ADDRESS,... --force'
        : `start ${now.silent.join(', ')} again; if that cannot be: kubectl karmada-net etcd recover --from ${now.answering[0] ?? name} --dry-run`
    return {
      text: `to replace ${name}, ${needed} of the ${now.voters} voters must be up without it, and ${said(others.up)}`,
      hint,
    }
  }
  const learner = now.learners[0]
  if (learner === undefined) return undefined
  return {
    text: `${learner} is a learner, and etcd has one learner at a time`,
    hint: `kubectl karmada-net etcd member promote ${learner}, or: kubectl karmada-net etcd member remove ${learner}`,
  }
}

export function whyNotPromote(view: Counted, name: string): Objection | undefined {
  const now = tally(view)
  if (now.learners.includes(name)) return noQuorum(now)
  const voter = now.up.includes(name) || now.down.includes(name)
  if (voter) return undefined
  return { text: `${name} is not in the cluster`, hint: `kubectl karmada-net etcd member add ${name}=ADDRESS,...` }
}

/**
 * While a CORRUPT alarm is raised only a member whose data differ may go: whoever comes is given the leader's data. `leaving`: who goes, or
 * begins anew.
 */
export function whyNotWhileCorrupt(
  { most, odd }: Pick<Comparison, 'most' | 'odd'>,
  leader: string | undefined,
  leaving?: string | undefined,
): Objection | undefined {
  if (odd.length === 0) return undefined
  const replace = (name: string | undefined) => `kubectl karmada-net etcd member replace ${name}`
  if (most.length === 0) {
    return {
      text: `the data of ${odd.join(' and ')} differ, and no majority tells whose are right`,
      hint: `save each: kubectl karmada-net etcd snapshot save FILE --member ${odd[0]}; then, for the one that you do not trust: ${replace('NAME')}`,
      unwise: leaving !== undefined,
    }
  }
  const leads = odd.find(name => name === leader)
  if (leads !== undefined && leads !== leaving) {
    return {
      text: `${leads} leads, and its data differ from those of ${most.join(', ')}: whoever joins now is given them`,
      hint: `${replace(leads)} first`,
    }
  }
  if (leaving !== undefined && odd.includes(leaving)) return undefined
  const differ = `the data of ${odd.join(', ')} differ from those of ${most.join(', ')}`
  return {
    text: leaving === undefined ? differ : `${differ}, and ${leaving} is not the one to go`,
    hint: replace(odd[0]),
    unwise: leaving !== undefined,
  }
}

function noQuorum({ voters, up, silent, answering }: Tally): Objection | undefined {
  const needed = quorumOf(voters)
  if (voters > 0 && up.length >= needed) return undefined
  const who =
    voters === 0 ? 'no member tells who is in the cluster' : `${needed} of ${voters} voters must be up, and ${said(up)}`
  return {
    text: `the cluster has no quorum: ${who}`,
    hint:
      silent.length > 0
        ? `start ${silent.join(', ')} again; if they are lost: kubectl karmada-net etcd recover --from ${answering[0] ?? 'MEMBER'} --dry-run`
        : 'etcd status',
  }
}

/** How many may fail. */
export const survives = (voters: number): number => voters - quorumOf(voters)

const said = (up: string[]): string =>
  up.length === 0 ? 'none is' : `${up.length} ${up.length === 1 ? 'is' : 'are'} (${up.join(', ')})`

const without = (names: string[], name: string): string[] => names.filter(each => each !== name)
