import { expect } from 'vitest'
import type { RunResult } from '../setup/run.ts'

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** Exit code 1, and on stderr exactly one error line, with this text, and a hint with that. */
    toFailWith: T extends RunResult ? (error: string | RegExp, hint?: { hint: string | RegExp }) => R : never
    /** Exit code 0. */
    toSucceed: T extends RunResult ? () => R : never
  }
}

const matches = (text: string, wanted: string | RegExp): boolean =>
  typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)

const shown = ({ code, stdout, stderr }: RunResult): string =>
  `exit code ${code}\nstdout:\n${stdout}\nstderr:\n${stderr}`

expect.extend({
  toFailWith(run: RunResult, error: string | RegExp, { hint }: { hint?: string | RegExp } = {}) {
    const lines = run.stderr.split('\n')
    const errors = lines.filter(line => /^(error:|Error from server|The connection to|Unable to connect)/.test(line))
    const hints = lines.filter(line => line.startsWith('hint: '))
    const pass =
      run.code === 1 &&
      errors.length === 1 &&
      matches(errors[0] ?? '', error) &&
      (hint === undefined || hints.some(line => matches(line, hint))) &&
      !/undefined|\[object Object\]|\n {4}at /.test(run.stderr)
    return {
      pass,
      message: () =>
        `expected one error line with ${error}${hint ? ` and a hint with ${hint}` : ''}, got ${shown(run)}`,
    }
  },
  toSucceed(run: RunResult) {
    return { pass: run.code === 0, message: () => `expected success, got ${shown(run)}` }
  },
})
