import { expect, test } from 'vitest'
import { createProgress } from '../../../src/cli/progress/render.ts'
import { showCursor } from '../../../src/cli/style.ts'
import { UserError } from '../../../src/errors.ts'
import type { StepEvent } from '../../../src/steps/runner.ts'
import { fakeSink } from './fake-io.ts'

const outline = [
  { steps: [{ title: 'Preflight' }, { title: 'Gateway' }] },
  { title: 'm1', steps: [{ title: 'Certificates' }, { title: 'Agent, delivered through Karmada' }] },
  { title: 'm2', steps: [{ title: 'Certificates' }, { title: 'Agent, delivered through Karmada' }] },
]

const start = (group: number, step: number): StepEvent => ({ type: 'start', group, step })
const waits = (group: number, step: number, waitingFor: string): StepEvent => ({
  type: 'progress',
  group,
  step,
  waitingFor,
})
const end = (
  group: number,
  step: number,
  more: { detail?: string; error?: unknown; status?: 'stopped' } = {},
): StepEvent => {
  const title = outline[group]?.steps[step]?.title ?? ''
  const status = more.status ?? (more.error ? 'failed' : 'ok')
  return { type: 'end', group, step, title, status, changed: true, elapsedMs: 1200, ...more }
}
const over = (group: number): StepEvent => ({
  type: 'group',
  group,
  result: { status: 'ok', changed: true, steps: [] },
})

function render(terminal?: { columns: number; rows: number }) {
  const sink = fakeSink(terminal)
  const clock = { now: 0 }
  const progress = createProgress(outline, { sink, paint: (_, text) => text, now: () => clock.now, live: !!terminal })
  const tell = (...events: StepEvent[]) => events.forEach(progress.report)
  return { sink, clock, progress, tell, lines: () => sink.text.split('\n').slice(0, -1) }
}

test('off a terminal each line is written once, when its step has ended', () => {
  const { tell, lines } = render()
  tell(start(0, 0), waits(0, 0, 'an answer'))
  expect(lines()).toEqual([])
  tell(end(0, 0, { detail: '2 members' }), start(0, 1))
  expect(lines()).toEqual([' ✓ Preflight                          1.2s   2 members'])
})

test.each([undefined, { columns: 40, rows: 24 }])('what somebody has to do is said once and whole: %o', terminal => {
  const { sink, tell } = render(terminal)
  const todo = 'on 10.0.0.1: systemctl restart etcd-karmada, and wait for it'
  const waiting: StepEvent = { type: 'progress', group: 0, step: 0, waitingFor: 'a restart', todo }
  tell(start(0, 0), waiting, waiting, waits(0, 0, 'something else'), waiting)
  expect(sink.text.split(` → ${todo}`)).toHaveLength(2)
})

test('groups at the same time keep together, each under its heading', () => {
  const { tell, lines } = render()
  tell(end(0, 0), end(0, 1), over(0), end(1, 0), end(2, 0), end(2, 1), over(2))
  expect(lines().map(line => line.slice(0, 12).trimEnd())).toEqual([
    ' ✓ Preflight',
    ' ✓ Gateway',
    ' m1',
    ' ✓ Certifica',
  ])
  tell(end(1, 1), over(1))
  expect(lines().map(line => line.slice(0, 12).trimEnd())).toEqual([
    ' ✓ Preflight',
    ' ✓ Gateway',
    ' m1',
    ' ✓ Certifica',
    ' ✓ Agent, de',
    ' m2',
    ' ✓ Certifica',
    ' ✓ Agent, de',
  ])
})

test('a failure says why, as the others go on; a stop says so', () => {
  const { tell, lines } = render()
  tell(
    over(0),
    end(1, 0, { error: new UserError('no quorum\nsecond line') }),
    over(1),
    end(2, 0, { status: 'stopped' }),
    over(2),
  )
  expect(lines()).toEqual([
    ' m1',
    ' ✗ Certificates                       1.2s   no quorum',
    ' m2',
    ' - Certificates                       1.2s   stopped',
  ])
})

test('what was cut short is written at the end', () => {
  const { tell, lines, progress } = render()
  tell(over(0), start(1, 0), end(2, 0))
  expect(lines()).toEqual([])
  progress.close()
  expect(lines()).toEqual([' m2', ' ✓ Certificates                       1.2s'])
})

/** The screen as a terminal would show it. Understands what is written here: lines, cursor up, erase. */
function screen(text: string): string[] {
  const shown: string[] = []
  let row = 0
  for (const [index, piece] of text.split('\x1b').entries()) {
    const [, up, erase, rest] = /^\[(?:(\d+)A|(J)|K|\?25[hl])(.*)$/s.exec(piece) ?? []
    if (index > 0 && rest === undefined) throw new Error(`unknown escape sequence before ${JSON.stringify(piece)}`)
    row -= Number(up ?? 0)
    if (erase) shown.length = row
    for (const [at, line] of (rest ?? piece).replaceAll('\r', '').split('\n').entries()) {
      if (at > 0) row++
      if (line !== '') shown[row] = line
    }
  }
  return shown
}

test('on a terminal the running step moves, with what it waits for', () => {
  const { tell, clock, progress, sink } = render({ columns: 80, rows: 24 })
  tell(start(0, 0), waits(0, 0, 'an answer'))
  expect(screen(sink.text)).toEqual([' ⠋ Preflight                          0.0s   an answer'])
  clock.now = 2400
  progress.tick()
  expect(screen(sink.text)).toEqual([' ⠋ Preflight                          2.4s   an answer'])
  clock.now = 2480
  progress.tick()
  expect(screen(sink.text)).toEqual([' ⠙ Preflight                          2.5s   an answer'])
})

test('in the end the terminal shows what a pipe gets', () => {
  const live = render({ columns: 80, rows: 24 })
  const plain = render()
  for (const { tell, progress } of [live, plain]) {
    tell(start(0, 0), end(0, 0), start(0, 1), end(0, 1, { detail: 'NodePort 32091' }), over(0))
    tell(start(1, 0), start(2, 0), end(2, 0), start(2, 1), end(1, 0))
    progress.tick()
    tell(start(1, 1), end(2, 1), over(2), end(1, 1), over(1))
    progress.close()
  }
  expect(screen(live.sink.text)).toEqual(plain.lines())
  expect(live.sink.text.endsWith(showCursor)).toBe(true)
})

test('text goes above what moves', () => {
  const { tell, progress, sink } = render({ columns: 80, rows: 24 })
  tell(start(0, 0))
  progress.write('Warning: old API\n')
  expect(screen(sink.text)).toEqual(['Warning: old API', ' ⠋ Preflight                          0.0s'])
})

test('on a narrow terminal no line that moves is as wide as the terminal', () => {
  for (const columns of [60, 40, 25, 10]) {
    const { tell, sink } = render({ columns, rows: 24 })
    tell(
      over(0),
      start(1, 0),
      start(2, 0),
      end(2, 0),
      start(2, 1),
      waits(2, 1, 'two replicas of the proxy agent to become ready'),
    )
    const widths = screen(sink.text).map(line => [...line].length)
    expect(Math.max(...widths)).toBeLessThan(columns)
  }
})

test('on a low terminal each group is one line', () => {
  const { tell, sink } = render({ columns: 80, rows: 4 })
  tell(over(0), start(1, 0), start(2, 0), end(2, 0), start(2, 1))
  expect(screen(sink.text)).toEqual([
    ' ⠋ m1: Certificates                   0.0s',
    ' ⠋ m2: Agent, delivered through Ka…   0.0s',
  ])
})
