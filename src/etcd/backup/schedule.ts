import { dayNames, isAll, parseCron, refused, type Times, toCron } from './cron.ts'

/** When backups are taken, as each scheduler wants it; in UTC, so that no change of the clocks leaves one out. */
export interface Schedule {
  /** For a CronJob; its timeZone is Etc/UTC. */
  cron: string
  /** For systemd's `OnCalendar=`. */
  onCalendar: string
  /** From one to the next at most. Milliseconds. */
  longestGapMs: number
}

const minuteMs = 60_000
const dayMinutes = 24 * 60
const dayMs = dayMinutes * minuteMs
const unitMinutes: Record<string, number> = { m: 1, h: 60, d: dayMinutes, w: 7 * dayMinutes }

/** Of durations (`15m`, `6h`, `1d`, `1w`) and lines of cron (`0 3 * * *`, `@daily`). Pure. Throws UserError for what cannot be said to both schedulers. */
export function parseSchedule(text: string): Schedule {
  const times = durationTimes(text) ?? parseCron(text)
  return { cron: toCron(times), onCalendar: toCalendar(times), longestGapMs: longestGap(times) }
}

/** Undefined: it is no duration. */
function durationTimes(text: string): Times | undefined {
  const [, count, unit = ''] = /^(\d+)([mhdw])$/.exec(text.trim()) ?? []
  if (count === undefined) return undefined
  const minutes = Number(count) * (unitMinutes[unit] ?? 0)
  const line = lineOf(minutes)
  if (line !== undefined) return parseCron(line)
  const why = 'schedulers count from midnight, so that it must divide an hour or a day, or be 1d or 1w'
  throw refused(text, why, nearest(minutes))
}

function lineOf(minutes: number): string | undefined {
  if (minutes === 0) return undefined
  if (minutes < 60 && 60 % minutes === 0) return `*/${minutes} * * * *`
  if (minutes === dayMinutes) return '0 0 * * *'
  if (minutes === 7 * dayMinutes) return '0 0 * * 0'
  return minutes % 60 === 0 && dayMinutes % minutes === 0 ? `0 */${minutes / 60} * * *` : undefined
}

/** The durations around one that cannot be. */
function nearest(minutes: number): string {
  const possible = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, dayMinutes, 7 * dayMinutes]
  const below = possible.findLast(each => each < minutes)
  const above = possible.find(each => each > minutes)
  return [below, above].flatMap(each => (each === undefined ? [] : [durationText(each)])).join(', ')
}

function durationText(minutes: number): string {
  if (minutes < 60) return `${minutes}m`
  if (minutes < dayMinutes) return `${minutes / 60}h`
  return minutes === dayMinutes ? '1d' : '1w'
}

/** `Mon *-*-* 00/6:00:00 UTC`, see systemd.time(7). */
function toCalendar(times: Times): string {
  const days = isAll(times, 'daysOfWeek')
    ? ''
    : `${times.daysOfWeek.map(day => capital(dayNames[day] ?? '')).join(',')} `
  const part = (key: keyof Times) => (isAll(times, key) ? '*' : times[key].map(two).join(','))
  return `${days}*-${part('months')}-${part('daysOfMonth')} ${part('hours')}:${part('minutes')}:00 UTC`
}

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1)
const two = (value: number) => String(value).padStart(2, '0')

/** Nine years have every kind of February between two others. */
const firstDay = Date.UTC(2024, 0, 1)
const manyDays = 9 * 366

function longestGap(times: Times): number {
  const inDay = times.hours.flatMap(hour => times.minutes.map(minute => hour * 60 + minute))
  const [first = 0] = inDay
  let longest = Math.max(0, ...inDay.slice(1).map((minute, index) => minute - (inDay[index] ?? 0)))
  let last: number | undefined
  for (let day = 0; day < manyDays; day++) {
    const date = new Date(firstDay + day * dayMs)
    if (!times.months.includes(date.getUTCMonth() + 1)) continue
    if (!times.daysOfMonth.includes(date.getUTCDate()) || !times.daysOfWeek.includes(date.getUTCDay())) continue
    if (last !== undefined) longest = Math.max(longest, day * dayMinutes + first - last)
    last = day * dayMinutes + (inDay.at(-1) ?? 0)
  }
  return longest * minuteMs
}
