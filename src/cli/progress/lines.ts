import { stripVTControlCharacters } from 'node:util'
import { formatElapsed } from '../duration.ts'
import { explain } from '../errors.ts'
import type { Paint } from '../style.ts'
import { pad, width } from '../table.ts'
import { ended, type GroupView, type StepView } from './state.ts'

export interface LineStyle {
  paint: Paint
  /** Characters that titles are padded to. */
  titleWidth: number
  /** Of the terminal, for lines that are drawn over: they must not wrap. */
  columns?: number | undefined
  /** Say why a step failed behind it: where other groups go on, the reader should not have to wait for the end. */
  reasons: boolean
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const frameMs = 80

export const headingLine = (group: GroupView, { paint }: LineStyle) => ` ${paint('bold', group.title ?? '')}`

/** ` ✓ Gateway    4.1s   2 replicas`; for a running step a spinner, the time so far and what it waits for. */
export function stepLine(step: StepView, style: LineStyle, now: number): string {
  const { mark, elapsedMs, detail } = ended(step) ? settled(step, style) : running(step, style, now)
  const { titleWidth, columns } = style
  const title = pad(columns === undefined ? step.title : cut(step.title, titleWidth), titleWidth)
  const line = ` ${mark} ${title} ${formatElapsed(elapsedMs).padStart(6)}`
  if (!detail) return line
  if (columns === undefined) return `${line}   ${detail}`
  const shown = cut(detail, columns - 1 - width(stripVTControlCharacters(line)) - 3)
  return shown === '' ? line : `${line}   ${ended(step) ? shown : style.paint('dim', shown)}`
}

/** At most so many characters, the last an ellipsis where some are missing. */
export function cut(text: string, to: number): string {
  if (width(text) <= to) return text
  return to < 2 ? '' : `${[...text].slice(0, to - 1).join('')}…`
}

/** A group in one line, where the terminal has no room for its steps. */
export function summaryLine(group: GroupView, style: LineStyle, now: number): string {
  const current = group.steps.find(step => step.status === 'running')
  const done = group.steps.filter(ended).length
  const title = group.title ?? ''
  if (current) return stepLine({ ...current, title: `${title}: ${current.title}` }, style, now)
  return ` ${style.paint('green', '✓')} ${pad(title, style.titleWidth)}   ${done} of ${group.steps.length} steps`
}

function settled(step: StepView, { paint, reasons }: LineStyle) {
  const { elapsedMs } = step
  if (step.status === 'ok') return { mark: paint('green', '✓'), elapsedMs, detail: step.detail }
  if (step.status === 'stopped') return { mark: paint('yellow', '-'), elapsedMs, detail: 'stopped' }
  const reason = reasons ? explain(step.error).message.split('\n')[0] : undefined
  return { mark: paint('red', '✗'), elapsedMs, detail: reason }
}

function running(step: StepView, { paint }: LineStyle, now: number) {
  const elapsedMs = now - step.startedAt
  const frame = frames[Math.floor(elapsedMs / frameMs) % frames.length] ?? ''
  return { mark: paint('cyan', frame), elapsedMs, detail: step.waitingFor }
}

/** Wide enough for every title, but leaving room for time and a little detail. */
export function titleWidthOf(groups: readonly GroupView[], columns: number | undefined): number {
  const widest = Math.max(0, ...groups.flatMap(group => group.steps.map(step => width(step.title))))
  return columns === undefined ? widest : Math.min(widest, Math.max(16, columns - 24))
}
