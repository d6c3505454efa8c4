import type { KubeObject } from '../kube/types.ts'

/** An object and the cluster that it goes to, in the words of the dry run (`host kind-hub`, `member member1, through Work ...`). */
export interface PlannedObject {
  where: string
  object: KubeObject
}

export interface StepResult {
  /** Did the step change anything? `false` from every step is "Nothing to do". */
  changed: boolean
  /** Shown behind the title: `2 replicas on NodePort 32091`. */
  detail?: string | undefined
}

/**
 * What a running step may say before it is done: what it waits for, shown live. `todo`: what somebody has to do first; said once, and it
 * stays where it can be read and pasted.
 */
export type Progress = (waitingFor: string, todo?: string) => void

/**
 * One thing to make true. `World` holds what the steps act on (clients, settings, abort signal).
 * A step is idempotent: run again it finds its work done and answers `changed: false`.
 */
export interface Step<World> {
  title: string
  /** Throws UserError for what would make `run` refuse now; changes nothing. A dry run on the client asks it, `run` by itself. */
  guard?(world: World): Promise<void>
  /** What a dry run prints for this step. */
  objects?(world: World): PlannedObject[] | Promise<PlannedObject[]>
  /** Asks the servers to validate the step and stores nothing (`--dry-run=server`); default: apply `objects` with dryRun. */
  dryRun?(world: World): Promise<StepResult>
  run(world: World, progress: Progress): Promise<StepResult>
}

/**
 * Steps in order, under a heading (a member's name) when there are several such lists. Titled groups are independent of each other
 * and run concurrently; a group without a title is everybody's, and runs alone, in its place in the list.
 */
export interface StepGroup<World> {
  title?: string | undefined
  steps: Step<World>[]
}
