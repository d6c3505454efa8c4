import { expect, test } from 'vitest'
import { defineCommand } from '../../../src/cli/command.ts'
import { errorLines, Failure } from '../../../src/cli/errors.ts'
import { Interrupted } from '../../../src/cli/io.ts'
import { crash } from '../../../src/cli/run.ts'
import { UserError } from '../../../src/errors.ts'
import { ConnectionError, StatusError } from '../../../src/kube/errors.ts'
import { fakeIo, fakeSink, runCaptured, tableOf } from './fake-io.ts'

const request = { context: 'hub', server: 'https://10.0.0.1:6443', method: 'GET', path: '/' }
const status = (reason: string, message: string, code: number) =>
  new StatusError({ reason, message, code, status: 'Failure' }, request)
const forbidden = (rest: string) => status('Forbidden', `x is forbidden: User "dev" cannot ${rest}`, 403)
const missing = Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'open', path: 'ca.crt' })

test.each<[string, unknown, string[]]>([
  ['a user error', new UserError('no cluster "membr1"'), ['error: no cluster "membr1"']],
  ['its hint', new UserError('no', { hint: 'did you mean member1?' }), ['error: no', 'hint: did you mean member1?']],
  [
    'a Status, as kubectl',
    status('NotFound', 'secrets "a" not found', 404),
    ['Error from server (NotFound): secrets "a" not found'],
  ],
  [
    'a login',
    status('Unauthorized', 'Unauthorized', 401),
    ['error: You must be logged in to the server (Unauthorized)'],
  ],
  [
    'what is forbidden, as a question that can be pasted',
    forbidden('patch resource "clusters/status" in API group "cluster.karmada.io" at the cluster scope'),
    [
      'Error from server (Forbidden): x is forbidden: User "dev" cannot patch resource "clusters/status" in API group "cluster.karmada.io" at the cluster scope',
      'hint: needed: patch on clusters/status; ask with: kubectl auth can-i patch clusters.cluster.karmada.io --subresource=status --context hub',
    ],
  ],
  [
    'what is forbidden in a namespace',
    forbidden('list resource "secrets" in API group "" in the namespace "a"'),
    [
      'Error from server (Forbidden): x is forbidden: User "dev" cannot list resource "secrets" in API group "" in the namespace "a"',
      'hint: needed: list on secrets; ask with: kubectl auth can-i list secrets -n a --context hub',
    ],
  ],
  [
    'no answer',
    new ConnectionError('refused', 'connection refused', request),
    ['The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?'],
  ],
  ['a file', missing, ['error: open ca.crt: no such file or directory']],
  [
    'several at once, one after the other',
    new AggregateError([new UserError('one'), new UserError('two', { hint: 'three' })]),
    ['error: one', 'error: two', 'hint: three'],
  ],
  [
    'whose it is',
    new Failure([
      { about: 'member1', error: new UserError('one') },
      { about: 'member2', error: status('Conflict', 'is old', 409) },
    ]),
    ['error: member1: one', 'error: member2: Error from server (Conflict): is old'],
  ],
  [
    'a bug',
    new TypeError('x is not a function'),
    [
      'error: internal: x is not a function',
      'hint: this is a bug; run the same command again with -v=8 and report what it prints',
    ],
  ],
  [
    'what is no error at all',
    { some: 'object' },
    [
      'error: internal: {"some":"object"}',
      'hint: this is a bug; run the same command again with -v=8 and report what it prints',
    ],
  ],
  ['ctrl-C', new Interrupted(), ['Stopped.']],
])('%s', (_, error, lines) => expect(errorLines(error)).toEqual(lines))

test('a stack comes only with -v=8, and with its causes', () => {
  const error = new UserError('outside', { cause: new Error('inside') })
  expect(errorLines(error, 7)).toEqual(['error: outside'])
  const lines = errorLines(error, 8)
  expect(lines[0]).toBe('error: outside')
  expect(lines).toContain('caused by:')
  expect(lines).toContain('Error: inside')
  expect(lines.some(line => line.includes('errors.test.ts'))).toBe(true)
})

const failing = (error: unknown) =>
  tableOf(defineCommand({ name: 'go', summary: 'Go', examples: [], run: (): Promise<void> => Promise.reject(error) }))

test.each<[string, unknown, number]>([
  ['a user error', new UserError('no'), 1],
  ['a bug', new Error('no'), 1],
  ['ctrl-C', new Interrupted(), 130],
  ['a failure with its own code', new Failure([{ error: new UserError('no') }], 2), 2],
])('%s: exit code %#', async (_, error, code) => expect((await runCaptured(failing(error), ['go'])).code).toBe(code))

test('after ctrl-C, whatever a command throws is no error', async () => {
  const io = fakeIo({ signal: AbortSignal.abort() })
  const result = await runCaptured(failing(new Error('This operation was aborted')), ['go'], io)
  expect(result).toEqual({ code: 130, stdout: '', stderr: 'Stopped.\n' })
})

test('what nobody caught is said as any other error', () => {
  const io = fakeIo()
  expect(crash(new UserError('no', { hint: 'yes' }), ['go'], io)).toBe(1)
  expect(io.stderr.text).toBe('error: no\nhint: yes\n')
  expect(crash(new Error('no'), ['go', '-v8'], io)).toBe(1)
  expect(io.stderr.text).toContain('errors.test.ts')
})

test('a command answers its exit code', async () => {
  const table = tableOf(defineCommand({ name: 'diff', summary: 'Diff', examples: [], run: async () => 1 }))
  expect(await runCaptured(table, ['diff'])).toEqual({ code: 1, stdout: '', stderr: '' })
})

test.each([
  ['a terminal', {}, '\x1b[31merror:\x1b[39m no\n\x1b[36mhint:\x1b[39m yes\n'],
  ['NO_COLOR', { NO_COLOR: '1' }, 'error: no\nhint: yes\n'],
  ['TERM=dumb', { TERM: 'dumb' }, 'error: no\nhint: yes\n'],
])('colours: %s', async (_, env, text) => {
  const io = fakeIo({ env, stderr: fakeSink({ columns: 80, rows: 24 }) })
  expect((await runCaptured(failing(new UserError('no', { hint: 'yes' })), ['go'], io)).stderr).toBe(text)
})
