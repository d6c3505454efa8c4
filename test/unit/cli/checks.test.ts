import { expect, test } from 'vitest'
import type { Check, CheckGroup, CheckResult } from '../../../src/checks/check.ts'
import { type ShowChecksOptions, showChecks } from '../../../src/cli/checks.ts'
import { UserError } from '../../../src/errors.ts'
import { fakeIo, fakeSession } from './fake-io.ts'

const check = (id: string, title: string, answer: CheckResult, more: Partial<Check<object>> = {}): Check<object> => ({
  id,
  title,
  severity: 'error',
  run: async () => answer,
  ...more,
})

const broken: CheckGroup<object> = {
  title: 'member2',
  checks: [
    check('servers', 'proxy servers ready', { ok: true, detail: '2/2' }),
    check('agents', 'agents connected', {
      ok: false,
      detail: '0 of 2',
      said: 'last seen 3m ago; proxy-agent (member2) says:\nx509: certificate signed by unknown authority\n',
      hint: 'kubectl karmada-net anp up member2',
    }),
    check('connect', 'CONNECT kubernetes.default.svc:443', { ok: true }, { needs: ['agents'] }),
  ],
}
const old = check('certs', 'certificates', { ok: false, detail: 'expire in 21d' }, { severity: 'warning' })

async function shown(groups: CheckGroup<object>[], options: ShowChecksOptions = {}) {
  const io = fakeIo()
  const error = await showChecks(fakeSession(io), groups, {}, options).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { error, stdout: io.stdout.text, stderr: io.stderr.text }
}

test('the first broken hop is named, with what it said and what to do', async () => {
  const { stdout, error } = await shown([broken])
  expect(stdout).toMatchInlineSnapshot(`
    "member2
     ✓ proxy servers ready                  2/2
     ✗ agents connected                     0 of 2
         last seen 3m ago; proxy-agent (member2) says:
         x509: certificate signed by unknown authority
         hint: kubectl karmada-net anp up member2
     - CONNECT kubernetes.default.svc:443   not tried
    "
  `)
  expect(error).toEqual(new UserError('1 of 3 checks failed for member2'))
})

test('warnings pass, and are counted', async () => {
  expect(await shown([{ title: 'm1', checks: [old] }])).toEqual({
    error: undefined,
    stdout: 'm1\n ‼ certificates   expire in 21d\n',
    stderr: '1 warning\n',
  })
})

test('several groups stand one after the other, whichever ends first', async () => {
  const first = Promise.withResolvers<CheckResult>()
  const slow = check('a', 'slow', { ok: true }, { run: () => first.promise })
  const endFirst = async () => {
    first.resolve({ ok: true })
    return { ok: true }
  }
  const fast = check('a', 'fast', { ok: true }, { run: endFirst })
  const { stdout } = await shown([
    { title: 'm1', checks: [slow] },
    { title: 'm2', checks: [fast] },
  ])
  expect(stdout).toBe('m1\n ✓ slow\nm2\n ✓ fast\n')
})

test('what a check throws is what it says', async () => {
  const run = async () => Promise.reject(new UserError('no such host', { hint: 'kubectl karmada-net contexts' }))
  const { stdout } = await shown([{ checks: [check('a', 'gateway answers', { ok: true }, { run })] }])
  expect(stdout).toBe(' ✗ gateway answers\n     no such host\n     hint: kubectl karmada-net contexts\n')
})

test('json has it all, and the exit is the same', async () => {
  const { stdout, error, stderr } = await shown([broken, { checks: [old] }], { output: 'json' })
  expect(JSON.parse(stdout)).toMatchObject({
    groups: [
      {
        title: 'member2',
        checks: [{ id: 'servers', status: 'ok', detail: '2/2' }, { status: 'error' }, { status: 'not tried' }],
      },
      { checks: [{ id: 'certs', status: 'warning' }] },
    ],
    errors: 1,
    warnings: 1,
  })
  expect(error).toEqual(new UserError('1 of 4 checks failed for member2, 1 warning'))
  expect(stderr).toBe('')
})
