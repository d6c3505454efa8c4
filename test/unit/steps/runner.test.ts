import { expect, test } from 'vitest'
import { plannedObjects, runSteps, type StepEvent } from '../../../src/steps/runner.ts'
import type { Step, StepGroup } from '../../../src/steps/step.ts'

interface World {
  log: string[]
}

const step = (
  title: string,
  options: { changed?: boolean; fails?: boolean; meanwhile?: () => unknown } = {},
): Step<World> => ({
  title,
  objects: () => [{ where: 'host', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: title } } }],
  async run({ log }) {
    log.push(title)
    await options.meanwhile?.()
    if (options.fails) throw new Error(`${title} failed`)
    return { changed: options.changed ?? true }
  },
})
const group = (title: string | undefined, ...steps: Step<World>[]): StepGroup<World> => ({ title, steps })

async function run(groups: StepGroup<World>[], options: Parameters<typeof runSteps>[2] = {}) {
  const log: string[] = []
  const events: StepEvent[] = []
  const result = await runSteps(groups, { log }, { report: event => events.push(event), ...options })
  return { log, events, result, statuses: result.groups.map(({ status }) => status) }
}

test('steps of a group run in order', async () => {
  const { log, result } = await run([group('m1', step('a'), step('b', { changed: false }))])
  expect(log).toEqual(['a', 'b'])
  expect(result).toMatchObject({ changed: true, groups: [{ status: 'ok', changed: true }] })
})

test('nothing changed is said', async () => {
  const unchanged = step('a', { changed: false })
  expect((await run([group('m1', unchanged), group('m2', unchanged)])).result.changed).toBe(false)
})

test('a failure ends its own group and no other', async () => {
  const { log, statuses, result } = await run([
    group('m1', step('a', { fails: true }), step('never')),
    group('m2', step('b'), step('c')),
  ])
  expect(log).toEqual(['a', 'b', 'c'])
  expect(statuses).toEqual(['failed', 'ok'])
  expect(result.groups[0]?.error).toEqual(new Error('a failed'))
})

test('a step that throws at once, not in its promise, has failed all the same', async () => {
  const thrower: Step<World> = {
    title: 'a',
    run: () => {
      throw new Error('at once')
    },
  }
  expect((await run([group('m1', thrower), group('m2', step('b'))])).statuses).toEqual(['failed', 'ok'])
})

test('titled groups run side by side, as many as allowed', async () => {
  const met = Promise.withResolvers<void>()
  let inside = 0
  // Neither group could end without the other.
  const meet = step('meet', { meanwhile: () => (++inside === 2 ? met.resolve() : met.promise) })
  expect((await run([group('m1', meet), group('m2', meet)])).statuses).toEqual(['ok', 'ok'])

  let now = 0
  let most = 0
  const count = step('count', {
    meanwhile: async () => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
    },
  })
  await run(
    Array.from({ length: 5 }, (_, i) => group(`m${i}`, count)),
    { concurrency: 2 },
  )
  expect(most).toBe(2)
})

test('a group without a title comes after all before it and before all behind it', async () => {
  const { log } = await run([
    group(undefined, step('gateway')),
    group('m1', step('m1', { meanwhile: () => new Promise(setImmediate) })),
    group('m2', step('m2')),
    group(undefined, step('last')),
  ])
  expect(log).toEqual(['gateway', 'm1', 'm2', 'last'])
})

test('where a shared group fails, nothing behind it starts', async () => {
  const { log, statuses } = await run([group(undefined, step('gateway', { fails: true })), group('m1', step('a'))])
  expect(log).toEqual(['gateway'])
  expect(statuses).toEqual(['failed', 'not started'])
})

test('a shared group behind failed ones does not start', async () => {
  const { statuses } = await run([
    group('m1', step('a', { fails: true })),
    group('m2', step('b')),
    group(undefined, step('last')),
  ])
  expect(statuses).toEqual(['failed', 'ok', 'not started'])
})

test('the signal stops between steps: what runs is ended, what waits is not started', async () => {
  const interrupt = new AbortController()
  const { log, statuses } = await run(
    [group('m1', step('a', { meanwhile: () => interrupt.abort() }), step('never')), group('m2', step('never'))],
    { concurrency: 1, signal: interrupt.signal },
  )
  expect(log).toEqual(['a'])
  expect(statuses).toEqual(['stopped', 'not started'])
})

test('a step that throws because of the signal is stopped, not failed', async () => {
  const interrupt = new AbortController()
  const waits = step('waits', {
    meanwhile: () => {
      interrupt.abort(new Error('ctrl-C'))
      interrupt.signal.throwIfAborted()
    },
  })
  const { result } = await run([group('m1', step('a'), waits)], { signal: interrupt.signal })
  expect(result.groups[0]).toMatchObject({
    status: 'stopped',
    error: undefined,
    steps: [{ status: 'ok' }, { status: 'stopped' }],
  })
})

test('a signal before the first step starts nothing', async () => {
  const { log, statuses } = await run([group('m1', step('a'))], { signal: AbortSignal.abort() })
  expect({ log, statuses }).toEqual({ log: [], statuses: ['not started'] })
})

test('the last step done before the signal is not undone by it', async () => {
  const interrupt = new AbortController()
  const { statuses } = await run([group('m1', step('a', { meanwhile: () => interrupt.abort() }))], {
    signal: interrupt.signal,
  })
  expect(statuses).toEqual(['ok'])
})

test('events tell the story in order', async () => {
  const talks: Step<World> = {
    title: 'a',
    async run(_, progress) {
      progress('1 of 2 replicas')
      return { changed: true, detail: 'done' }
    },
  }
  const { events } = await run([group('m1', talks)])
  expect(events).toMatchObject([
    { type: 'start', group: 0, step: 0 },
    { type: 'progress', waitingFor: '1 of 2 replicas' },
    { type: 'end', status: 'ok', detail: 'done' },
    { type: 'group', group: 0, result: { status: 'ok' } },
  ])
})

test('a server dry run asks, and runs nothing', async () => {
  const dryRun = async ({ log }: World) => {
    log.push('asked')
    return { changed: true }
  }
  const asks: Step<World> = { ...step('a'), dryRun }
  const { log, statuses } = await run([group('m1', asks, step('b'))], { dryRun: 'server' })
  expect({ log, statuses }).toEqual({ log: ['asked'], statuses: ['ok'] })
})

test('planned objects come in the order of the steps, and nothing runs', async () => {
  const log: string[] = []
  const silent: Step<World> = { title: 'silent', run: async () => ({ changed: true }) }
  const planned = await plannedObjects([group(undefined, step('a')), group('m1', silent, step('b'))], { log })
  expect(planned.map(({ object }) => object.metadata.name)).toEqual(['a', 'b'])
  expect(log).toEqual([])
})

test('a dry run refuses what a step would refuse at once', async () => {
  const guard = async () => {
    throw new Error('not now')
  }
  const guarded: Step<World> = { ...step('b'), guard }
  await expect(plannedObjects([group(undefined, step('a')), group('m1', guarded)], { log: [] })).rejects.toThrow(
    'not now',
  )
})
