import { inParallel } from '../in-parallel.ts'
import type { PlannedObject, Progress, Step, StepGroup, StepResult } from './step.ts'

/** What happens while steps run; `group` and `step` are indexes into what was given. */
export type StepEvent =
  | { type: 'start'; group: number; step: number }
  | { type: 'progress'; group: number; step: number; waitingFor: string; todo?: string | undefined }
  | ({ type: 'end'; group: number; step: number } & StepOutcome)
  /** No further step of this group will run. */
  | { type: 'group'; group: number; result: GroupResult }

export interface StepOutcome {
  title: string
  /** `stopped`: ended by the signal in its middle. */
  status: 'ok' | 'failed' | 'stopped'
  changed: boolean
  detail?: string | undefined
  error?: unknown
  elapsedMs: number
}

export interface GroupResult {
  title?: string | undefined
  /** `not started`: no step was begun, because a shared group failed or the signal came first. */
  status: 'ok' | 'failed' | 'stopped' | 'not started'
  changed: boolean
  steps: StepOutcome[]
  /** Of the step that failed. */
  error?: unknown
}

export interface StepsResult {
  groups: GroupResult[]
  /** Did any step change anything? */
  changed: boolean
  elapsedMs: number
}

export interface RunOptions {
  report?: ((event: StepEvent) => void) | undefined
  /** Groups at the same time; default 4. */
  concurrency?: number | undefined
  /** `server`: each step's `dryRun` instead of its `run`; a step without one is skipped as unchanged. */
  dryRun?: 'none' | 'server' | undefined
  /** Looked at before each step; a step that throws after it is `stopped`, not `failed`. */
  signal?: AbortSignal | undefined
  /** Milliseconds; default `performance.now`. */
  now?: (() => number) | undefined
}

/**
 * Runs the steps of each group in order. Groups with a title are independent: several run at once and one's failure leaves the
 * others going. A group without a title is everybody's: it waits for all before it, and what comes after it starts only if it and
 * all before it went well. Never throws: failures are in the result.
 */
export async function runSteps<World>(
  groups: readonly StepGroup<World>[],
  world: World,
  options: RunOptions = {},
): Promise<StepsResult> {
  const { now = () => performance.now(), concurrency = 4 } = options
  const started = now()
  const results: GroupResult[] = groups.map(({ title }) => ({
    title,
    status: 'not started',
    changed: false,
    steps: [],
  }))
  for (const phase of phases(groups)) {
    if (results.some(({ status }) => status === 'failed' || status === 'stopped') && phase.shared) break
    await inParallel(phase.groups, concurrency, async index => {
      const group = groups[index]
      const result = results[index]
      if (group && result) await runGroup(group, index, result, world, { ...options, now })
    })
    if (phase.shared && phase.groups.some(index => results[index]?.status !== 'ok')) break
  }
  return { groups: results, changed: results.some(group => group.changed), elapsedMs: now() - started }
}

interface Phase {
  shared: boolean
  groups: number[]
}

/** Neighbouring titled groups make one phase, each untitled group one of its own. */
function phases(groups: readonly StepGroup<never>[]): Phase[] {
  const result: Phase[] = []
  for (const [index, { title }] of groups.entries()) {
    const last = result.at(-1)
    if (title !== undefined && last && !last.shared) last.groups.push(index)
    else result.push({ shared: title === undefined, groups: [index] })
  }
  return result
}

async function runGroup<World>(
  group: StepGroup<World>,
  index: number,
  result: GroupResult,
  world: World,
  options: RunOptions & { now: () => number },
): Promise<void> {
  const { signal, report = () => {} } = options
  if (group.steps.length === 0) result.status = 'ok'
  for (const [at, step] of group.steps.entries()) {
    if (signal?.aborted) {
      if (at > 0) result.status = 'stopped'
      break
    }
    report({ type: 'start', group: index, step: at })
    const outcome = await runStep(step, world, options, (waitingFor, todo) =>
      report({ type: 'progress', group: index, step: at, waitingFor, todo }),
    )
    result.steps.push(outcome)
    result.changed ||= outcome.changed
    result.status = outcome.status
    result.error = outcome.error
    report({ type: 'end', group: index, step: at, ...outcome })
    if (outcome.status !== 'ok') break
  }
  report({ type: 'group', group: index, result })
}

async function runStep<World>(
  step: Step<World>,
  world: World,
  { dryRun, signal, now }: RunOptions & { now: () => number },
  progress: Progress,
): Promise<StepOutcome> {
  const began = now()
  const { title } = step
  try {
    const { changed, detail } = await (dryRun === 'server' ? serverDryRun(step, world) : step.run(world, progress))
    return { title, status: 'ok', changed, detail, elapsedMs: now() - began }
  } catch (error) {
    const status = signal?.aborted ? 'stopped' : 'failed'
    return { title, status, changed: false, error: status === 'failed' ? error : undefined, elapsedMs: now() - began }
  }
}

async function serverDryRun<World>(step: Step<World>, world: World): Promise<StepResult> {
  return step.dryRun ? step.dryRun(world) : { changed: false, detail: 'not tried: nothing a server could validate' }
}

/** Throws what the first step says that would refuse. */
export async function askGuards<World>(groups: readonly StepGroup<World>[], world: World): Promise<void> {
  for (const step of groups.flatMap(({ steps }) => steps)) await step.guard?.(world)
}

/** The objects of all steps in order: what `--dry-run=client` prints. Runs nothing; throws what a guard says. */
export async function plannedObjects<World>(
  groups: readonly StepGroup<World>[],
  world: World,
): Promise<PlannedObject[]> {
  await askGuards(groups, world)
  const planned: PlannedObject[] = []
  for (const step of groups.flatMap(group => group.steps)) planned.push(...((await step.objects?.(world)) ?? []))
  return planned
}
