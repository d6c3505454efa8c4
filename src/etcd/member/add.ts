import { UserError } from '../../errors.ts'
import type { MemberSpec } from '../cluster.ts'
import { obstacles } from '../up/preflight.ts'
import type { ClusterView } from '../view.ts'
import type { EtcdWorld } from '../world.ts'
import { lookSettled, whyCorrupt } from './ask.ts'
import { joinSteps, nextGeneration, withMember } from './join.ts'
import { whyNotMixed } from './mixed.ts'
import { whyNotAdd, whyUnwiseToJoin } from './rules.ts'
import type { MemberPlan, MemberStep } from './step.ts'
import { refuse } from './words.ts'

export interface AddOptions {
  /** An even count, too. */
  force?: boolean | undefined
  /** It stays one until `member promote`. */
  learner?: boolean | undefined
}

/** A new member comes as a learner and is promoted when it has everything. Looks, and throws UserError where etcd would not take it. */
export async function planAdd(world: EtcdWorld, member: MemberSpec, options: AddOptions = {}): Promise<MemberPlan> {
  const known = requireNew(world, member)
  const view = await lookSettled(world)
  const there = view.members.find(({ spec }) => spec.name === member.name)?.member
  if (there && (!there.isLearner || options.learner) && isUp(view, member.name)) {
    return { steps: [], already: `${member.name} is a ${there.isLearner ? 'learner' : 'voter'} already` }
  }
  refuse(whyNotAdd(view, member.name))
  refuse(whyNotMixed(view, world.state, member.name))
  refuse(await whyCorrupt(world, view))
  if (!known && !options.learner) refuse(whyUnwiseToJoin(view, member.name), options)
  await requireFit(world, member)
  return { steps: addSteps(member, options) }
}

const isUp = (view: ClusterView, name: string): boolean =>
  view.members.some(({ spec, status }) => spec.name === name && status !== undefined)

export const addSteps = (member: MemberSpec, { learner }: Pick<AddOptions, 'learner'> = {}): MemberStep[] => [
  rememberStep(member),
  ...joinSteps(member, { learner }),
]

/** Throws UserError where the inventory has somebody else of that name or at that address. True: a run that was cut off began with it. */
export function requireNew({ state }: EtcdWorld, member: MemberSpec): boolean {
  const { members, name: cluster } = state.spec
  const same = members.find(({ name }) => name === member.name)
  if (same && JSON.stringify(same) !== JSON.stringify(member)) {
    throw new UserError(`${member.name} is a member of ${cluster} already, at ${same.address}`, {
      hint: `to move it: kubectl karmada-net etcd member replace ${member.name} --member ${member.name}=${member.address},...`,
    })
  }
  const neighbour = members.find(({ name, address }) => name !== member.name && address === member.address)
  if (neighbour) throw new UserError(`${member.address} is the address of ${neighbour.name}`)
  return same !== undefined
}

/** Its machine, before anybody counts on it. */
export async function requireFit(world: EtcdWorld, member: MemberSpec): Promise<void> {
  const driver = world.driverOf(member)
  const met = obstacles(member, await driver.inspect(), { formed: false })
  if (met.length === 0) return
  const lines = met.map(({ text }) => `${member.name} (${driver.where}): ${text}`)
  throw new UserError(lines.join('\n'), { hint: met.find(({ hint }) => hint)?.hint })
}

const rememberStep = (member: MemberSpec): MemberStep => ({
  title: `${member.name} in the inventory`,
  would: `remember ${member.name} at ${member.address}`,
  async run(world, progress) {
    const view = await lookSettled(world, progress)
    // Once it is on the list it keeps the directory that it was told.
    if (view.members.some(({ spec, member: entry }) => spec.name === member.name && entry)) return { changed: false }
    const { launch } = await world.driverOf(member).inspect()
    const generation = nextGeneration(world.state.members[member.name]?.generation, launch?.generation)
    await world.remember(withMember(world.state, member, generation))
    return { changed: true, detail: world.store.where }
  },
})
