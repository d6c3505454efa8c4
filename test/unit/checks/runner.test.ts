import { expect, test } from 'vitest'
import type { Check, CheckGroup, CheckResult } from '../../../src/checks/check.ts'
import { type CheckEvent, runChecks } from '../../../src/checks/runner.ts'

const check = (
  id: string,
  answer: Partial<CheckResult> | Error = {},
  more: Partial<Check<string[]>> = {},
): Check<string[]> => ({
  id,
  title: `${id} is well`,
  severity: 'error',
  async run(log) {
    log.push(id)
    if (answer instanceof Error) throw answer
    return { ok: true, ...answer }
  },
  ...more,
})

async function run(groups: CheckGroup<string[]>[], options: Parameters<typeof runChecks>[2] = {}) {
  const log: string[] = []
  const result = await runChecks(groups, log, options)
  return { log, result, statuses: result.groups.map(({ checks }) => checks.map(({ status }) => status)) }
}

test('what does not pass is counted by its severity', async () => {
  const { result, statuses } = await run([
    { checks: [check('a'), check('b', { ok: false }), check('c', { ok: false }, { severity: 'warning' })] },
  ])
  expect(statuses).toEqual([['ok', 'error', 'warning']])
  expect(result).toMatchObject({ errors: 1, warnings: 1, total: 3 })
})

test('a check is not tried unless all it needs has passed; not tried is no pass', async () => {
  const { log, statuses } = await run([
    {
      checks: [
        check('a', { ok: false }, { severity: 'warning' }),
        check('b', {}, { needs: ['a'] }),
        check('c', {}, { needs: ['b'] }),
        check('d'),
        check('e', {}, { needs: ['d'] }),
      ],
    },
  ])
  expect(statuses).toEqual([['warning', 'not tried', 'not tried', 'ok', 'ok']])
  expect(log).toEqual(['a', 'd', 'e'])
})

test('needs are looked for in the own group alone', async () => {
  const { statuses } = await run([{ checks: [check('a')] }, { checks: [check('b', {}, { needs: ['a'] })] }])
  expect(statuses).toEqual([['ok'], ['not tried']])
})

test('what a check throws is kept, and the next one runs', async () => {
  const { result, log } = await run([{ checks: [check('a', new Error('refused')), check('b')] }])
  expect(result.groups[0]?.checks[0]).toMatchObject({ status: 'error', thrown: new Error('refused') })
  expect(log).toEqual(['a', 'b'])
})

test('the signal ends it with its reason', async () => {
  const interrupt = new AbortController()
  const stops = check('a', {}, { run: async () => Promise.reject(interrupt.abort(new Error('ctrl-C'))) })
  await expect(run([{ checks: [stops, check('b')] }], { signal: interrupt.signal })).rejects.toThrow('ctrl-C')
})

test('events come check by check, and at the end of a group', async () => {
  const events: CheckEvent[] = []
  await run([{ title: 'm1', checks: [check('a')] }], { report: event => events.push(event) })
  expect(events).toMatchObject([
    { type: 'check', group: 0, outcome: { id: 'a' } },
    { type: 'group', group: 0 },
  ])
})
