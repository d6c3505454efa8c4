import type { Step } from '../../steps/step.ts'
import type { EtcdWorld } from '../world.ts'

/** A step that a dry run can tell in one line. */
export interface MemberStep extends Step<EtcdWorld> {
  /** What it would do: `remove 8e9e05c52164694d from the member list: 3 voters, then 2`. */
  would: string
}

/** What a command is about to do, after it has looked. */
export interface MemberPlan {
  /** None: there is nothing to do, see `already`. */
  steps: MemberStep[]
  /** `m2 is a healthy voter`. */
  already?: string | undefined
}
