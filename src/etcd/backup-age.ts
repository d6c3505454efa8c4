import { access } from 'node:fs/promises'
import type { Backup } from './cluster.ts'
import type { StatusFacts } from './findings.ts'
import { newestSnapshot } from './snapshot/list.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Undefined where backups are not wanted, or lie on another machine. */
export async function backupsOf(cluster: string, backup: Backup | undefined): Promise<StatusFacts['backup']> {
  if (!backup) return undefined
  const { directory, schedule } = backup
  const here = await access(directory).then(
    () => true,
    () => false,
  )
  if (!here) return undefined
  const newest = await newestSnapshot(directory, cluster)
  return { ...(newest && { newest }), where: directory, overdueAfterMs: 2 * longestGapMs(schedule) }
}

/** About the longest time between two runs of a cron schedule: good enough to say that one is missing. Pure. */
export function longestGapMs(schedule: string): number {
  const named = { '@hourly': hourMs, '@daily': dayMs, '@midnight': dayMs, '@weekly': 7 * dayMs, '@monthly': 31 * dayMs }
  const known = named[schedule as keyof typeof named]
  if (known !== undefined) return known
  const [minute = '*', hour = '*', dayOfMonth = '*', month = '*', dayOfWeek = '*'] = schedule.trim().split(/\s+/)
  if (month !== '*') return 366 * dayMs
  if (dayOfMonth !== '*') return 31 * dayMs
  if (dayOfWeek !== '*') return 7 * dayMs
  if (hour !== '*') return gapOf(hour, 24) * hourMs
  return minute === '*' ? minuteMs : gapOf(minute, 60) * minuteMs
}

/** Of one field: in its own unit, the longest way from one time to the next. */
function gapOf(field: string, size: number): number {
  const step = /^\*\/(\d+)$/.exec(field)?.[1]
  if (step !== undefined) return Math.min(size, Math.max(1, Number(step)))
  const times = field.split(',').map(Number)
  if (times.some(Number.isNaN)) return size
  const sorted = times.toSorted((a, b) => a - b)
  const gaps = sorted.map((time, index) => (sorted[index + 1] ?? (sorted[0] ?? 0) + size) - time)
  return Math.max(...gaps)
}
