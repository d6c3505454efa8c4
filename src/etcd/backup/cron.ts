import { UserError } from '../../errors.ts'

/** When a schedule comes, in UTC: every combination of these, sorted. */
export interface Times {
  minutes: number[]
  hours: number[]
  daysOfMonth: number[]
  months: number[]
  /** 0: Sunday. */
  daysOfWeek: number[]
}

interface Field {
  key: keyof Times
  name: string
  from: number
  to: number
  /** Of `from`, and on. */
  words: readonly string[]
}

export const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const fields = [
  { key: 'minutes', name: 'minute', from: 0, to: 59, words: [] },
  { key: 'hours', name: 'hour', from: 0, to: 23, words: [] },
  { key: 'daysOfMonth', name: 'day of the month', from: 1, to: 31, words: [] },
  { key: 'months', name: 'month', from: 1, to: 12, words: monthNames },
  { key: 'daysOfWeek', name: 'day of the week', from: 0, to: 6, words: dayNames },
] as const satisfies Field[]

const macros: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

const longestMonths: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reads a line of cron. Pure. Throws UserError for what is none, and for what crons and systemd do not agree on. */
export function parseCron(text: string): Times {
  const parts = (macros[text.trim().toLowerCase()] ?? text).trim().split(/\s+/)
  if (parts.length !== fields.length) {
    throw refused(text, 'it is neither a duration such as 6h nor the five fields of cron', '0 */6 * * *, @daily, 6h')
  }
  const read = fields.map((field, index) => [field.key, valuesOf(parts[index] ?? '', field, text)] as const)
  const times = Object.fromEntries(read) as unknown as Times
  if (!isAll(times, 'daysOfMonth') && !isAll(times, 'daysOfWeek')) {
    throw refused(text, 'days of the month and of the week together: crons differ in whether both or either must fit')
  }
  const ever = times.months.some(month => times.daysOfMonth.some(day => day <= (longestMonths[month - 1] ?? 0)))
  if (!ever) throw refused(text, 'no year has such a day')
  return times
}

/** The same times as a line that every cron reads alike. Pure. */
export const toCron = (times: Times): string => fields.map(field => fieldText(times[field.key], field)).join(' ')

/** Has a field no say in when it comes? */
export function isAll(times: Times, key: keyof Times): boolean {
  const field = fields.find(each => each.key === key)
  return field !== undefined && times[key].length === field.to - field.from + 1
}

function fieldText(values: number[], { from, to }: Field): string {
  if (values.length === to - from + 1) return '*'
  const [first = 0, second = first, third] = values
  const step = second - first
  if (third === undefined || first !== from) return values.join(',')
  const stepped = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)
  return stepped.join() === values.join() ? `*/${step}` : values.join(',')
}

function valuesOf(part: string, field: Field, text: string): number[] {
  const found = part.split(',').flatMap(item => rangeOf(item, field, text))
  return [...new Set(found)].sort((a, b) => a - b)
}

function rangeOf(item: string, field: Field, text: string): number[] {
  const wrong = (why: string) => refused(text, `${field.name} "${item}" ${why}`)
  const [, range = '', stepText] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? []
  if (range === '') throw wrong('is not understood')
  const step = stepText === undefined ? 1 : Number(stepText)
  if (step < 1) throw wrong('has a step of 0')
  const [first, last, ...more] =
    range === '*' ? [field.from, field.to] : range.split('-').map(word => number(word, field))
  if (first === undefined || more.length > 0) throw wrong('is not understood')
  // `5/15` goes on to the end.
  const end = last ?? (stepText === undefined ? first : field.to)
  // Sunday is 7 as well.
  const greatest = field.key === 'daysOfWeek' ? 7 : field.to
  if (Number.isNaN(first) || Number.isNaN(end)) throw wrong('is not understood')
  if (first < field.from || end > greatest || first > end) throw wrong(`is not within ${field.from} to ${greatest}`)
  const count = Math.floor((end - first) / step) + 1
  const values = Array.from({ length: count }, (_, index) => first + index * step)
  return values.map(value => (value > field.to ? field.from : value))
}

function number(word: string, { words, from }: Field): number {
  const named = words.indexOf(word.toLowerCase())
  if (named >= 0) return named + from
  return /^\d+$/.test(word) ? Number(word) : Number.NaN
}

export const refused = (text: string, why: string, instead = '6h, 0 3 * * * (UTC)'): UserError =>
  new UserError(`schedule "${text}": ${why}`, { hint: `as in ${instead}` })
