import { expect, onTestFinished, test, vi } from 'vitest'
import { errorLines } from '../../../src/cli/errors.ts'
import { Interrupted } from '../../../src/cli/io.ts'
import { type PerformOptions, perform } from '../../../src/cli/perform.ts'
import { UserError } from '../../../src/errors.ts'
import type { Step, StepGroup } from '../../../src/steps/step.ts'
import { type FakeIo, fakeIo, fakeSession, fakeSink } from './fake-io.ts'

const step = (title: string, run: Step<object>['run'] = async () => ({ changed: true })): Step<object> => ({
  title,
  run,
  objects: () => [{ where: 'host hub', object: { apiVersion: 'v1', kind: 'Service', metadata: { name: title } } }],
})
const fails = async () => Promise.reject(new UserError('no quorum', { hint: 'etcd status' }))

async function attempt(
  groups: StepGroup<object>[],
  options: PerformOptions = {},
  io: FakeIo = fakeIo(),
  quiet = false,
) {
  const result = await perform(fakeSession(io, { quiet }), groups, {}, options).catch((error: unknown) => error)
  return { result, stdout: io.stdout.text, stderr: io.stderr.text }
}

test('progress goes to stderr, nothing to stdout', async () => {
  const { result, stdout, stderr } = await attempt([{ title: 'm1', steps: [step('Agent')] }])
  expect(result).toMatchObject({ changed: true })
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: ' m1\n ✓ Agent   0.0s\n' })
})

test('quiet shows nothing and still fails', async () => {
  const { result, stderr } = await attempt([{ title: 'm1', steps: [step('Agent', fails)] }], {}, fakeIo(), true)
  expect(errorLines(result)).toEqual(['error: m1: no quorum', 'hint: etcd status'])
  expect(stderr).toBe('')
})

test('each group that failed is named at the end, and those that went well were done', async () => {
  const done: string[] = []
  const works = step('Agent', async () => ({ changed: done.push('m2') > 0 }))
  const { result } = await attempt([
    { title: 'm1', steps: [step('Agent', fails)] },
    { title: 'm2', steps: [works] },
    { title: 'm3', steps: [step('Agent', fails)] },
  ])
  expect(errorLines(result).filter(line => line.startsWith('error'))).toEqual([
    'error: m1: no quorum',
    'error: m3: no quorum',
  ])
  expect(done).toEqual(['m2'])
})

test('the error of a shared group stands alone', async () => {
  const { result } = await attempt([{ steps: [step('Gateway', fails)] }, { title: 'm1', steps: [step('Agent')] }])
  expect(errorLines(result)).toEqual(['error: no quorum', 'hint: etcd status'])
})

test('a dry run on the client prints and runs nothing', async () => {
  const { stdout, stderr } = await attempt([{ title: 'm1', steps: [step('agent', fails)] }], { dryRun: 'client' })
  expect({ stdout, stderr }).toEqual({ stdout: '# host hub\nservice/agent (dry run)\n', stderr: '' })
})

test('a dry run on the server says that nothing was changed', async () => {
  const asks: Step<object> = {
    ...step('Agent', fails),
    dryRun: async () => ({ changed: true, detail: '3 objects valid' }),
  }
  const { stderr } = await attempt([{ title: 'm1', steps: [asks] }], { dryRun: 'server' })
  expect(stderr).toBe(' m1\n ✓ Agent   0.0s   3 objects valid\nNothing was changed (server dry run).\n')
})

test('ctrl-C: where it stopped, what is untouched, how to go on and how to go back', async () => {
  const interrupt = new AbortController()
  const io = fakeIo({ signal: interrupt.signal })
  const stops = step('Cluster.spec', async () => {
    interrupt.abort(new Interrupted())
    return { changed: true }
  })
  const groups = [
    { steps: [step('Gateway')] },
    { title: 'member1', steps: [stops, step('Agent')] },
    { title: 'member2', steps: [step('Agent')] },
  ]
  const { result } = await attempt(groups, { concurrency: 1, undo: begun => `anp down ${begun.join(' ')}` }, io)
  expect(result).toBeInstanceOf(Interrupted)
  expect(errorLines(result)).toEqual([
    'Stopped after "Cluster.spec" of member1; member2 untouched. Run the same command again to go on, or: kubectl karmada-net anp down member1',
  ])
})

test('ctrl-C does not hide what had failed before, and comes too late after the last step', async () => {
  const interrupt = new AbortController()
  const io = fakeIo({ signal: interrupt.signal })
  const stops = step('Agent', async () => {
    interrupt.abort()
    return { changed: true }
  })
  const groups = [
    { title: 'm1', steps: [step('Agent', fails)] },
    { title: 'm2', steps: [stops, step('never')] },
  ]
  const { result } = await attempt(groups, { concurrency: 1 }, io)
  expect(errorLines(result)).toEqual([
    'error: m1: no quorum',
    'hint: etcd status',
    'Stopped after "Agent" of m2. Run the same command again to go on',
  ])
  const late = new AbortController()
  const last = step('Agent', async () => {
    late.abort()
    return { changed: true }
  })
  const tooLate = await attempt([{ title: 'm2', steps: [last] }], {}, fakeIo({ signal: late.signal }))
  expect(tooLate.result).toMatchObject({ changed: true })
})

test('ctrl-C in a step that takes its time is heard', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const interrupt = new AbortController()
  const io = fakeIo({ signal: interrupt.signal })
  const slow = step('Migrate', async () => {
    interrupt.abort()
    await vi.advanceTimersByTimeAsync(1500)
    return { changed: true }
  })
  const { stderr, result } = await attempt([{ steps: [slow, step('Agent')] }], {}, io)
  expect(stderr).toBe('Stopping when this step has ended; Ctrl-C again leaves at once.\n ✓ Migrate   0.0s\n')
  expect(errorLines(result)).toEqual(['Stopped after "Migrate". Run the same command again to go on'])
})

test('ctrl-C before anything was done offers nothing to undo', async () => {
  const io = fakeIo({ signal: AbortSignal.abort(new Interrupted()) })
  const { result } = await attempt([{ title: 'm1', steps: [step('Agent')] }], { undo: () => 'anp down' }, io)
  expect(errorLines(result)).toEqual(['Stopped; m1 untouched. Run the same command again to go on'])
})

test('a dumb terminal, and a log, get plain lines', async () => {
  const terminal = () => fakeIo({ stderr: fakeSink({ columns: 80, rows: 24 }), env: { TERM: 'dumb' } })
  expect((await attempt([{ steps: [step('Agent')] }], {}, terminal())).stderr).toBe(' ✓ Agent   0.0s\n')
  const io = fakeIo({ stderr: fakeSink({ columns: 80, rows: 24 }), env: { NO_COLOR: '1' } })
  await perform(fakeSession(io, { verbosity: 6 }), [{ steps: [step('Agent')] }], {})
  expect(io.stderr.text).toBe(' ✓ Agent   0.0s\n')
})

test('a warning in the middle goes above the lines that move, and the cursor comes back', async () => {
  const io = fakeIo({ stderr: fakeSink({ columns: 80, rows: 24 }), env: { NO_COLOR: '1' } })
  const session = fakeSession(io)
  const warns = step('Agent', async () => {
    session.warn('old API')
    return { changed: true }
  })
  await perform(session, [{ steps: [warns] }], {})
  expect(io.stderr.text).toContain('Warning: old API\x1b[K\n ⠋ Agent')
  expect(io.stderr.text.endsWith('\x1b[?25h')).toBe(true)
  expect(session.above).toBeUndefined()
})
