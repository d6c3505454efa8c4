import type { Check, CheckGroup, CheckResult } from './check.ts'

export interface CheckOutcome extends Omit<CheckResult, 'ok'> {
  id: string
  title: string
  status: 'ok' | 'warning' | 'error' | 'not tried'
  elapsedMs: number
  /** What `run` threw. */
  thrown?: unknown
}

export interface CheckGroupResult {
  title?: string | undefined
  checks: CheckOutcome[]
}

export interface ChecksResult {
  groups: CheckGroupResult[]
  /** Checks that did not pass, by severity. */
  errors: number
  warnings: number
  total: number
}

/** What happens while checks run; `group` is an index into what was given. */
export type CheckEvent =
  | { type: 'check'; group: number; outcome: CheckOutcome }
  /** No further check of this group will run. */
  | { type: 'group'; group: number }

export interface CheckOptions {
  report?: ((event: CheckEvent) => void) | undefined
  /** Groups at the same time; default 4. */
  concurrency?: number | undefined
  /** Rejects with its reason before the next check. */
  signal?: AbortSignal | undefined
  /** Milliseconds; default `performance.now`. */
  now?: (() => number) | undefined
}

/** Runs each group's checks in order, several groups at once. Throws only for `signal`. */
export async function runChecks<World>(
  groups: readonly CheckGroup<World>[],
  world: World,
  options: CheckOptions = {},
): Promise<ChecksResult> {
  const results: CheckGroupResult[] = groups.map(({ title }) => ({ title, checks: [] }))
  const queue = [...groups.entries()]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, group] = next
      for (const check of group.checks) {
        options.signal?.throwIfAborted()
        const done = results[index]?.checks ?? []
        const outcome = await outcomeOf(check, world, done, options)
        done.push(outcome)
        options.report?.({ type: 'check', group: index, outcome })
      }
      options.report?.({ type: 'group', group: index })
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.concurrency ?? 4, groups.length) }, worker))
  const outcomes = results.flatMap(({ checks }) => checks)
  const count = (status: CheckOutcome['status']) => outcomes.filter(outcome => outcome.status === status).length
  return { groups: results, errors: count('error'), warnings: count('warning'), total: outcomes.length }
}

async function outcomeOf<World>(
  { id, title, severity, needs = [], run }: Check<World>,
  world: World,
  done: readonly CheckOutcome[],
  { now = () => performance.now(), signal }: CheckOptions,
): Promise<CheckOutcome> {
  const passed = (need: string) => done.some(outcome => outcome.id === need && outcome.status === 'ok')
  if (!needs.every(passed)) return { id, title, status: 'not tried', elapsedMs: 0 }
  const began = now()
  try {
    const { ok, ...rest } = await run(world)
    return { id, title, status: ok ? 'ok' : severity, elapsedMs: now() - began, ...rest }
  } catch (thrown) {
    signal?.throwIfAborted()
    return { id, title, status: severity, elapsedMs: now() - began, thrown }
  }
}
