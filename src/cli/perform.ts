import { type GroupResult, plannedObjects, runSteps, type StepsResult } from '../steps/runner.ts'
import type { StepGroup } from '../steps/step.ts'
import { Failure } from './errors.ts'
import type { Output } from './flags.ts'
import { Interrupted, program } from './io.ts'
import { printPlanned } from './planned.ts'
import { createProgress } from './progress/render.ts'
import type { Session } from './session.ts'

export interface PerformOptions {
  dryRun?: 'none' | 'client' | 'server' | undefined
  /** For a dry run on the client. */
  output?: Output | undefined
  /** Secrets' values in a dry run on the client. */
  showSecrets?: boolean | undefined
  /** Groups at the same time. */
  concurrency?: number | undefined
  /** The command that takes back what was begun, without the program's name (`anp down member1`): said after Ctrl-C. */
  undo?: ((begun: string[]) => string) | undefined
}

/**
 * Runs step groups for a command: live on a terminal, line by line elsewhere, silently with -q; a dry run prints objects or asks
 * the servers. Answers what was done when all went well. Throws `Failure` with each group's error, `Interrupted` after Ctrl-C.
 */
export async function perform<World>(
  session: Session,
  groups: readonly StepGroup<World>[],
  world: World,
  options: PerformOptions = {},
): Promise<StepsResult> {
  const { dryRun = 'none' } = options
  if (dryRun === 'client') {
    await printPlanned(session, await plannedObjects(groups, world), options.output, options)
    return { groups: [], changed: false, elapsedMs: 0 }
  }
  const result = await show(session, groups, world, { ...options, dryRun })
  const failed = result.groups.filter(group => group.status === 'failed')
  const failures = failed.map(({ title, error }) => ({ about: title, error }))
  // Ctrl-C after the last step came too late to matter.
  if (session.signal.aborted && result.groups.some(({ status }) => status === 'stopped' || status === 'not started')) {
    const stopped = new Interrupted(stoppedText(result.groups, options.undo))
    throw failures.length > 0 ? new Failure([...failures, { error: stopped }], 130) : stopped
  }
  if (failures.length > 0) throw new Failure(failures)
  if (dryRun === 'server') session.say('Nothing was changed (server dry run).')
  return result
}

async function show<World>(
  session: Session,
  groups: readonly StepGroup<World>[],
  world: World,
  { concurrency, dryRun }: { concurrency?: number | undefined; dryRun: 'none' | 'server' },
): Promise<StepsResult> {
  const { io, paint, signal } = session
  const options = { concurrency, dryRun, signal, now: io.now }
  if (session.quiet) return runSteps(groups, world, options)
  // Log lines between moving ones could not be read.
  const live = io.stderr.isTTY && io.env['TERM'] !== 'dumb' && session.verbosity === 0
  const progress = createProgress(groups, { sink: io.stderr, paint, now: io.now, live })
  const timer = live ? setInterval(progress.tick, 80) : undefined
  session.above = progress
  const reassured = reassure(session)
  try {
    return await runSteps(groups, world, { ...options, report: progress.report })
  } finally {
    clearInterval(timer)
    reassured.end()
    session.above = undefined
    progress.close()
  }
}

/** A step that cannot be cut short must not look as if Ctrl-C had not been heard. */
function reassure(session: Session): { end(): void } {
  let timer: NodeJS.Timeout | undefined
  const say = () => session.say('Stopping when this step has ended; Ctrl-C again leaves at once.')
  const heard = () => {
    timer = setTimeout(say, 1000)
  }
  session.signal.addEventListener('abort', heard)
  return {
    end() {
      clearTimeout(timer)
      session.signal.removeEventListener('abort', heard)
    },
  }
}

/** `Stopped after "Cluster.spec" of member1; member2 untouched. Run the same command again to go on, or: ...` */
function stoppedText(groups: readonly GroupResult[], undo?: PerformOptions['undo']): string {
  const begun = groups.filter(({ status, steps }) => status === 'stopped' || (status === 'ok' && steps.length > 0))
  const after = groups.flatMap(({ title, status, steps }) => {
    const last = steps.findLast(step => step.status === 'ok')
    if (!last || status !== 'stopped') return []
    return [`"${last.title}"${title === undefined ? '' : ` of ${title}`}`]
  })
  const untouched = groups.flatMap(({ title, status }) =>
    status === 'not started' && title !== undefined ? [title] : [],
  )
  const where = after.length > 0 ? `Stopped after ${after.join(', ')}` : 'Stopped'
  const names = begun.flatMap(({ title }) => (title === undefined ? [] : [title]))
  const back = undo && begun.length > 0 ? `, or: ${program} ${undo(names)}` : ''
  return `${where}${untouched.length > 0 ? `; ${untouched.join(', ')} untouched` : ''}. Run the same command again to go on${back}`
}
