export interface CheckResult {
  ok: boolean
  /** Shown behind the title: `2/2`, `21 ms`. */
  detail?: string | undefined
  /** What the component at fault said, in its own words; may have several lines. */
  said?: string | undefined
  /** What to do, ideally a command that can be pasted. */
  hint?: string | undefined
}

/** One thing that should be true, and how to find out. `World` holds what checks look at. */
export interface Check<World> {
  /** Names it for `needs`, `-o json` and the docs: `agents-connected`. Unique in its group. */
  id: string
  title: string
  /** A `warning` that does not pass leaves the exit code 0. */
  severity: 'error' | 'warning'
  /** Checks before it in its group that must have passed; otherwise it is not tried. */
  needs?: readonly string[] | undefined
  /** Looks and changes nothing. What it throws counts as not passed. */
  run(world: World): Promise<CheckResult>
}

/** Checks in order, under a heading: a member's name, or what they are about. */
export interface CheckGroup<World> {
  title?: string | undefined
  checks: readonly Check<World>[]
}
