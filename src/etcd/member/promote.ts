import type { EtcdWorld } from '../world.ts'
import { lookSettled } from './ask.ts'
import { promoteStep, readyStep } from './join.ts'
import { whyNotPromote } from './rules.ts'
import type { MemberPlan } from './step.ts'
import { refuse, requireMember } from './words.ts'

/** Gives a learner its vote once it has caught up. Looks, and throws UserError for who is none. */
export async function planPromote(world: EtcdWorld, name: string): Promise<MemberPlan> {
  const member = requireMember(world.state, name)
  const view = await lookSettled(world)
  refuse(whyNotPromote(view, name))
  const entry = view.members.find(({ spec }) => spec.name === name)?.member
  if (entry && !entry.isLearner) return { steps: [], already: `${name} is a voter already` }
  return { steps: [promoteStep(member), readyStep(member)] }
}
