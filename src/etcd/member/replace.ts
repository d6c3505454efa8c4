import { UserError } from '../../errors.ts'
import { hexId } from '../client/types.ts'
import { requireClocks } from '../clocks.ts'
import type { MemberSpec } from '../cluster.ts'
import type { ClusterView } from '../view.ts'
import type { EtcdWorld } from '../world.ts'
import { entryOf, handOver, listed, lookSettled, removeEntry, whyCorrupt } from './ask.ts'
import { joinSteps, nextGeneration, withMember } from './join.ts'
import { whyNotMixed } from './mixed.ts'
import { whyNotReplace } from './rules.ts'
import type { MemberPlan, MemberStep } from './step.ts'
import { refuse, requireMember } from './words.ts'

export interface ReplaceOptions {
  /** A healthy one, too. */
  force?: boolean | undefined
  /** The same member on another machine. */
  moved?: MemberSpec | undefined
}

/**
 * A member whose data is lost or not to be trusted begins anew, empty: out of the list, in again as a learner, promoted when it has
 * everything. Its old directory is never started on again. Looks, and throws UserError where that would cost the quorum.
 */
export async function planReplace(world: EtcdWorld, name: string, options: ReplaceOptions = {}): Promise<MemberPlan> {
  const before = requireMember(world.state, name)
  const after = options.moved ?? before
  const [view, { foreign, clockSkewMs }] = await Promise.all([lookSettled(world), world.driverOf(after).inspect()])
  if (foreign !== undefined) throw new UserError(`${name} (${world.driverOf(after).where}): ${foreign}`)
  refuse(whyNotReplace(view, name), { force: options.force })
  // Wiped in the middle of an upgrade, that could not go on without it.
  const mixed = whyNotMixed(view, world.state, name)
  refuse(mixed && { ...mixed, unwise: true }, { force: options.force })
  refuse(await whyCorrupt(world, view, name), { force: options.force })
  const moves = JSON.stringify(before) !== JSON.stringify(after)
  if (!moves && !options.force && isHealthy(view, name)) {
    return { steps: [], already: `${name} is a healthy voter; --force replaces it all the same` }
  }
  const entry = view.members.find(({ spec }) => spec.name === name)?.member
  requireClocks([{ name, skewMs: clockSkewMs }])
  // What a run that was cut off has made a learner of goes on from there.
  const out = entry?.isLearner && !moves ? [] : [stopStep(before, moves), outStep(before, after, entry)]
  return { steps: [...out, ...joinSteps(after), discardStep(after)] }
}

function isHealthy(view: ClusterView, name: string): boolean {
  const found = view.members.find(({ spec }) => spec.name === name)
  return (
    found?.member?.isLearner === false &&
    found.status?.leader === view.leader?.status?.id &&
    found.readiness?.ready === true
  )
}

/** `moves`: the machine that it leaves may be gone for good. */
const stopStep = (member: MemberSpec, moves: boolean): MemberStep => ({
  title: `${member.name} stopped`,
  would: `hand its leadership over if it has it, then stop etcd of ${member.name}`,
  async run(world, progress) {
    const driver = world.driverOf(member)
    const view = await lookSettled(world, progress)
    const id = view.members.find(({ spec }) => spec.name === member.name)?.status?.id
    const to = id === undefined ? undefined : await handOver(world, view, id)
    if (!moves && !driver.acts) return { changed: false, detail: 'ends by itself once it is off the list' }
    try {
      const changed = moves ? await driver.remove({ keepData: true }) : await driver.stop()
      return { changed, detail: changed ? to && `leadership to ${to}` : 'did not run' }
    } catch (error) {
      world.signal.throwIfAborted()
      if (!moves || !(error instanceof UserError)) throw error
      return {
        changed: false,
        detail: `${driver.where} does not answer; etcd there ends by itself once it is off the list`,
      }
    }
  },
})

const outStep = (before: MemberSpec, after: MemberSpec, entry: { id: bigint } | undefined): MemberStep => ({
  title: `${before.name} taken off the member list`,
  would: `remove ${entry ? hexId(entry.id) : before.name} from the member list, and choose an empty data directory`,
  async run(world, progress) {
    const { launch } = await world.driverOf(after).inspect()
    const generation = nextGeneration(world.state.members[after.name]?.generation, launch?.generation)
    await world.remember(withMember(world.state, after, generation))
    const old = entry ?? entryOf(await listed(world, { progress }), before, world.state.spec)
    const changed = old ? await removeEntry(world, old.id, { progress }) : false
    return { changed, detail: old ? hexId(old.id) : 'is not on it' }
  },
})

const discardStep = (member: MemberSpec): MemberStep => ({
  title: 'Old data removed',
  would: `remove what ${member.name} had stored before`,
  async run(world) {
    const { generation = 1 } = world.state.members[member.name] ?? {}
    await world.driverOf(member).discardBefore(generation)
    return { changed: false, detail: `data directory ${generation} is in use` }
  },
})
