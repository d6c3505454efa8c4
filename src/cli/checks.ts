import type { CheckGroup } from '../checks/check.ts'
import { type CheckOutcome, type ChecksResult, runChecks } from '../checks/runner.ts'
import { counted } from '../counted.ts'
import { UserError } from '../errors.ts'
import { explain } from './errors.ts'
import { printData } from './print.ts'
import type { Session } from './session.ts'
import { type Paint, paintFor } from './style.ts'
import { pad, width } from './table.ts'

export interface ShowChecksOptions {
  output?: 'json' | 'yaml' | undefined
  /** Groups at the same time. */
  concurrency?: number | undefined
}

/**
 * Runs checks for a command and prints them on stdout as they end, each group together under its heading; `json` and `yaml` print
 * them at the end. Throws UserError `1 of 5 checks failed for member2` where an error was found; warnings pass.
 */
export async function showChecks<World>(
  session: Session,
  groups: readonly CheckGroup<World>[],
  world: World,
  options: ShowChecksOptions = {},
): Promise<ChecksResult> {
  const { io, signal } = session
  const writer = options.output ? undefined : createWriter(groups, session)
  const result = await runChecks(groups, world, {
    concurrency: options.concurrency,
    signal,
    now: io.now,
    report: event => (event.type === 'check' ? writer?.add(event.group, event.outcome) : writer?.finish(event.group)),
  })
  if (options.output) await printData(session, checksData(result), options.output)
  const failed = failureText(result)
  if (failed) throw new UserError(failed)
  if (result.warnings > 0 && !options.output) session.say(counted(result.warnings, 'warning'))
  return result
}

/** Writes the lines of the first unfinished group as they come, those of the others when it is their turn. */
function createWriter<World>(groups: readonly CheckGroup<World>[], { io }: Session) {
  const paint = paintFor(io.stdout, io.env)
  const titleWidth = Math.max(0, ...groups.flatMap(group => group.checks.map(check => width(check.title))))
  const waiting = groups.map(({ title }) => (title === undefined ? [] : [paint('bold', title)]))
  const finished = groups.map(() => false)
  let turn = 0
  const flush = () => {
    for (; turn < groups.length; turn++) {
      const lines = waiting[turn]?.splice(0) ?? []
      if (lines.length > 0) io.stdout.write(`${lines.join('\n')}\n`)
      if (!finished[turn]) return
    }
  }
  return {
    add(group: number, outcome: CheckOutcome) {
      waiting[group]?.push(...checkLines(outcome, titleWidth, paint))
      if (group === turn) flush()
    },
    finish(group: number) {
      finished[group] = true
      if (group === turn) flush()
    },
  }
}

/** ` ✗ agents connected   0 of 2`, and below it what was said and what to do. */
function checkLines(outcome: CheckOutcome, titleWidth: number, paint: Paint): string[] {
  const { title, status, said, hint, detail } = readable(outcome)
  const mark = { ok: paint('green', '✓'), warning: paint('yellow', '‼'), error: paint('red', '✗'), 'not tried': '-' }[
    status
  ]
  const first =
    ` ${mark} ${pad(title, titleWidth)}   ${status === 'not tried' ? 'not tried' : (detail ?? '')}`.trimEnd()
  const below = [...(said?.trimEnd().split('\n') ?? []), ...(hint ? [`${paint('cyan', 'hint:')} ${hint}`] : [])]
  return [first, ...below.map(line => `     ${line}`)]
}

/** What a check threw is what it says. */
function readable(outcome: CheckOutcome): CheckOutcome {
  if (outcome.thrown === undefined) return outcome
  const { message, hint } = explain(outcome.thrown)
  return { ...outcome, said: message, hint: outcome.hint ?? hint }
}

/** The shape of -o json. */
function checksData({ groups, errors, warnings }: ChecksResult): object {
  return {
    groups: groups.map(({ title, checks }) => ({
      title,
      checks: checks.map(check => {
        const { id, title, status, detail, said, hint, elapsedMs } = readable(check)
        return { id, title, status, detail, said, hint, milliseconds: Math.round(elapsedMs) }
      }),
    })),
    errors,
    warnings,
  }
}

function failureText({ groups, errors, total, warnings }: ChecksResult): string | undefined {
  if (errors === 0) return undefined
  const about = groups.flatMap(({ title, checks }) =>
    title !== undefined && checks.some(check => check.status === 'error') ? [title] : [],
  )
  const also = warnings > 0 ? `, ${counted(warnings, 'warning')}` : ''
  return `${errors} of ${counted(total, 'check')} failed${about.length > 0 ? ` for ${about.join(', ')}` : ''}${also}`
}
