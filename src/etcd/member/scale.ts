import type { MemberSpec } from '../cluster.ts'
import type { EtcdWorld } from '../world.ts'
import { addSteps, requireFit, requireNew } from './add.ts'
import { lookSettled, whyCorrupt } from './ask.ts'
import { planScale, whyUnwiseCount } from './choose.ts'
import { whyNotMixed } from './mixed.ts'
import { removeSteps } from './remove.ts'
import { whyNotAdd, whyNotRemove } from './rules.ts'
import type { MemberPlan } from './step.ts'
import { refuse, requireMember } from './words.ts'

/**
 * To `wanted` voters, one member after the other: each is a voter that has everything before the next one comes. Looks, and throws
 * UserError where the first change would not be possible, or who comes is not clear.
 */
export async function planScaling(
  world: EtcdWorld,
  wanted: number,
  named: MemberSpec[],
  options: { force?: boolean | undefined } = {},
): Promise<MemberPlan> {
  refuse(whyUnwiseCount(wanted), options)
  const view = await lookSettled(world)
  const plan = planScale(view, wanted, named)
  if ('text' in plan) {
    refuse(plan)
    return { steps: [] }
  }
  const [first] = plan.add
  const [leaving] = plan.remove
  if (first) refuse(whyNotAdd(view, first.name))
  if (leaving !== undefined) refuse(whyNotRemove(view, leaving))
  if (first) refuse(whyNotMixed(view, world.state, first.name))
  refuse(await whyCorrupt(world, view))
  for (const member of plan.add) requireNew(world, member)
  await Promise.all(plan.add.map(member => requireFit(world, member)))
  const steps = [
    ...plan.add.flatMap(member => addSteps(member)),
    ...plan.remove.flatMap(name => removeSteps(requireMember(world.state, name))),
  ]
  return { steps, already: steps.length === 0 ? `there are ${wanted} voters` : undefined }
}
