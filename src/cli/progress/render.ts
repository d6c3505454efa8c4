import { stripVTControlCharacters } from 'node:util'
import type { StepEvent } from '../../steps/runner.ts'
import type { Sink } from '../io.ts'
import { hideCursor, type Paint, showCursor } from '../style.ts'
import { width } from '../table.ts'
import { cut, headingLine, type LineStyle, stepLine, summaryLine, titleWidthOf } from './lines.ts'
import { ended, type GroupView, initial, note, type Outline } from './state.ts'

export interface Progress {
  report(event: StepEvent): void
  /** Draws the moving part again: spinner, seconds. Does nothing where there is no terminal. */
  tick(): void
  /** Writes above the moving part. */
  write(text: string): void
  /** Ends the moving part and writes what is left of groups that were cut short. */
  close(): void
}

export interface RenderOptions {
  sink: Sink
  paint: Paint
  now(): number
  /** Redraw what moves; otherwise each line is written once, when its step has ended. */
  live: boolean
}

/**
 * Renders steps as they run. Ended lines are written for good in the order of the groups: the first unfinished group's as they come,
 * a later group's when its turn is there, so that each group stands together under its heading. Live, everything else moves below.
 */
export function createProgress(outline: Outline, { sink, paint, now, live }: RenderOptions): Progress {
  const groups = initial(outline)
  const titleWidth = titleWidthOf(groups, live ? sink.columns() : undefined)
  const style: LineStyle = { paint, titleWidth, reasons: groups.filter(group => group.title !== undefined).length > 1 }
  const written = groups.map(() => 0)
  let turn = 0
  let drawn = 0

  /** Lines that are final and whose turn it is. */
  function settle(): string[] {
    const lines: string[] = []
    for (; turn < groups.length; turn++) {
      lines.push(...endedLines(turn))
      if (!groups[turn]?.finished) break
    }
    return lines
  }

  function endedLines(index: number): string[] {
    const group = groups[index]
    const fresh = group?.steps.filter(ended).slice(written[index]) ?? []
    if (!group || fresh.length === 0) return []
    const heading = written[index] === 0 && group.title !== undefined ? [headingLine(group, style)] : []
    written[index] = (written[index] ?? 0) + fresh.length
    return [...heading, ...fresh.map(step => stepLine(step, style, now()))]
  }

  function draw(settledLines: string[], moving: string[]) {
    if (!live) {
      if (settledLines.length > 0) sink.write(`${settledLines.join('\n')}\n`)
      return
    }
    if (drawn === 0 && settledLines.length + moving.length === 0) return
    const up = drawn > 0 ? `\x1b[${drawn}A\r` : hideCursor
    // One write, and each line erased only behind its new text: no flicker.
    const lines = [...settledLines, ...moving].map(line => `${line}\x1b[K\n`).join('')
    sink.write(`${up}${lines}\x1b[J`)
    drawn = moving.length
  }

  const told = new Set<string>()
  function write(text: string): void {
    if (live) draw(text.replace(/\n$/, '').split('\n'), movingLines(groups, turn, written, style, sink, now()))
    else sink.write(text)
  }

  /** At once and whole: somebody has to act on it, and lines that move are cut to the terminal. */
  function say(todo: string | undefined): void {
    if (todo === undefined || told.has(todo)) return
    told.add(todo)
    write(` → ${todo.replaceAll('\n', '\n   ')}\n`)
  }

  const redraw = () => draw(settle(), live ? movingLines(groups, turn, written, style, sink, now()) : [])

  return {
    report(event) {
      if (event.type === 'progress') say(event.todo)
      note(groups, event, now())
      redraw()
    },
    tick() {
      if (live) redraw()
    },
    write,
    close() {
      const left = settle()
      for (turn++; turn < groups.length; turn++) left.push(...endedLines(turn))
      draw(left, [])
      if (live) sink.write(showCursor)
    },
  }
}

/** The groups at work, cut to what the terminal can hold; what is more falls to one line per group. */
function movingLines(
  groups: readonly GroupView[],
  turn: number,
  written: readonly number[],
  permanent: LineStyle,
  sink: Sink,
  now: number,
): string[] {
  const columns = sink.columns()
  const style = { ...permanent, columns }
  const height = Math.max(1, (sink.rows() ?? 24) - 1)
  const begun = groups
    .map((group, index) => ({ group, index }))
    .filter(({ group, index }) => index >= turn && group.steps.some(step => step.status !== 'pending'))
  const full = begun.flatMap(({ group, index }) => {
    const steps = group.steps.slice(written[index]).filter(step => step.status !== 'pending')
    const heading = written[index] === 0 && group.title !== undefined ? [headingLine(group, style)] : []
    return steps.length > 0 ? [...heading, ...steps.map(step => stepLine(step, style, now))] : []
  })
  const lines = full.length <= height ? full : begun.map(({ group }) => summaryLine(group, style, now)).slice(0, height)
  return columns === undefined ? lines : lines.map(line => narrow(line, columns - 1))
}

/** On a terminal too narrow for even the title and the time; such a line loses its colours. */
function narrow(line: string, columns: number): string {
  const bare = stripVTControlCharacters(line)
  return width(bare) <= columns ? line : cut(bare, columns)
}
