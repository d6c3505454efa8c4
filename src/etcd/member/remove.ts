import { counted } from '../../counted.ts'
import { UserError } from '../../errors.ts'
import { type EtcdMember, hexId } from '../client/types.ts'
import type { MemberSpec } from '../cluster.ts'
import type { ClusterView } from '../view.ts'
import type { EtcdWorld } from '../world.ts'
import { entryOf, handOver, listed, lookSettled, removeEntry, whyCorrupt } from './ask.ts'
import { disarmCorrupt, sameDataOfThoseUp, withoutMember } from './join.ts'
import { tally, whyNotRemove, whyUnwiseToLeave } from './rules.ts'
import type { MemberPlan, MemberStep } from './step.ts'
import { refuse, requireMember } from './words.ts'

/**
 * A member leaves for good: off the list, then off its machine, its data too, which no cluster would take again. `name` may be the id of an
 * entry that the inventory does not have. Looks, and throws UserError where that would cost the quorum.
 */
export async function planRemove(
  world: EtcdWorld,
  name: string,
  options: { force?: boolean | undefined } = {},
): Promise<MemberPlan> {
  const view = await lookSettled(world)
  const stranger = view.strangers.find(entry => entry.name === name || hexId(entry.id) === name)
  if (stranger) return planStranger(view, stranger)
  requireMember(world.state, name)
  refuse(whyNotRemove(view, name))
  refuse(await whyCorrupt(world, view, name), options)
  refuse(whyUnwiseToLeave(view, name), options)
  return { steps: removeSteps(requireMember(world.state, name)) }
}

function planStranger(view: ClusterView, entry: EtcdMember): MemberPlan {
  refuse(whyNotRemove(view, entry.name || hexId(entry.id)))
  return { steps: [strangerStep(entry)] }
}

export const removeSteps = (member: MemberSpec): MemberStep[] => [outStep(member), cleanStep(member), sameStep(member)]

/** Asked again just before: what is up changes, and with several removals the arithmetic does, too. */
const outStep = (member: MemberSpec): MemberStep => ({
  title: `${member.name} taken off the member list`,
  would: `hand its leadership over if it has it, then remove ${member.name} from the member list`,
  async run(world, progress) {
    const view = await lookSettled(world, progress)
    refuse(whyNotRemove(view, member.name))
    const entry = entryOf(await listed(world, { progress }), member, world.state.spec)
    if (!entry) return { changed: false, detail: 'is not on it' }
    await handOver(world, view, entry.id)
    const changed = await removeEntry(world, entry.id, { progress })
    const { voters } = tally(view)
    return { changed, detail: entry.isLearner ? 'was a learner' : `${voters} voters, now ${voters - 1}` }
  },
})

/** The inventory forgets it last: a run that is cut off before finds its way back here. */
const cleanStep = (member: MemberSpec): MemberStep => ({
  title: `${member.name} removed from its machine`,
  would: `remove etcd of ${member.name} with its data (${member.address}), and forget it`,
  async run(world) {
    const driver = world.driverOf(member)
    const left = await driver.remove({ keepData: false }).then(
      () => undefined,
      (error: unknown) => {
        world.signal.throwIfAborted()
        if (!(error instanceof UserError)) throw error
        return error.message
      },
    )
    await world.remember(withoutMember(world.state, member.name))
    return { changed: true, detail: left ? `what is on ${driver.where} stays: ${left}` : driver.where }
  },
})

const sameStep = (member: MemberSpec): MemberStep => ({
  title: 'Same data on those who stay',
  would: `compare the data of the others at one revision`,
  async run(world, progress) {
    await lookSettled(world, progress)
    const revision = await sameDataOfThoseUp(world)
    await disarmCorrupt(world)
    const { length } = world.state.spec.members.filter(({ name }) => name !== member.name)
    return { changed: false, detail: `${counted(length, 'member')}, revision ${revision}` }
  },
})

const strangerStep = (entry: EtcdMember): MemberStep => ({
  title: `${entry.name || hexId(entry.id)} taken off the member list`,
  would: `remove ${hexId(entry.id)} (${entry.peerUrls.join(', ')}) from the member list; what runs there is not ours and stays`,
  async run(world, progress) {
    return { changed: await removeEntry(world, entry.id, { progress }), detail: entry.peerUrls.join(', ') }
  },
})
