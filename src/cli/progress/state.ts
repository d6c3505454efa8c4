import type { StepEvent } from '../../steps/runner.ts'

/** What is known of one step while it runs and afterwards. */
export interface StepView {
  title: string
  status: 'pending' | 'running' | 'ok' | 'failed' | 'stopped'
  startedAt: number
  elapsedMs: number
  detail?: string | undefined
  waitingFor?: string | undefined
  error?: unknown
}

export interface GroupView {
  title?: string | undefined
  steps: StepView[]
  /** No step of it will run any more. */
  finished: boolean
}

/** The part of a step group that a renderer needs. */
export type Outline = readonly { title?: string | undefined; steps: readonly { title: string }[] }[]

export const initial = (groups: Outline): GroupView[] =>
  groups.map(({ title, steps }) => ({
    title,
    finished: false,
    steps: steps.map(step => ({ title: step.title, status: 'pending', startedAt: 0, elapsedMs: 0 })),
  }))

/** Writes an event down; `now` in milliseconds. */
export function note(groups: GroupView[], event: StepEvent, now: number): void {
  const group = groups[event.group]
  if (event.type === 'group') {
    if (group) group.finished = true
    return
  }
  const step = group?.steps[event.step]
  if (!step) return
  if (event.type === 'start') Object.assign(step, { status: 'running', startedAt: now })
  else if (event.type === 'progress') step.waitingFor = event.waitingFor
  else {
    const { status, detail, elapsedMs, error } = event
    Object.assign(step, { status, detail, elapsedMs, error })
  }
}

export const ended = (step: StepView) => step.status !== 'pending' && step.status !== 'running'
