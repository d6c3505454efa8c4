import { Readable } from 'node:stream'
import type { Command, CommandTable, Noun } from '../../../src/cli/command.ts'
import type { Io, Sink } from '../../../src/cli/io.ts'
import { runTable } from '../../../src/cli/run.ts'
import { createSession, type Session } from '../../../src/cli/session.ts'

export interface FakeSink extends Sink {
  text: string
}

export function fakeSink(terminal?: { columns: number; rows: number }): FakeSink {
  return {
    text: '',
    write(text) {
      this.text += text
    },
    isTTY: terminal !== undefined,
    columns: () => terminal?.columns,
    rows: () => terminal?.rows,
  }
}

export interface FakeIo extends Io {
  stdout: FakeSink
  stderr: FakeSink
}

/** A process without a terminal whose clock stands still. */
export function fakeIo(overrides: Partial<FakeIo> = {}): FakeIo {
  return {
    stdout: fakeSink(),
    stderr: fakeSink(),
    stdin: Readable.from([]),
    env: {},
    invokedAs: 'kubectl-karmada_net',
    now: () => 0,
    signal: new AbortController().signal,
    ...overrides,
  }
}

export const fakeSession = (io: Io = fakeIo(), options: { verbosity?: number; quiet?: boolean } = {}): Session =>
  createSession(io, { verbosity: 0, quiet: false, ...options })

export const tableOf = (...commands: (Command | Noun)[]): CommandTable => ({
  description: 'A table for tests.',
  groups: [{ title: 'Test Commands', commands }],
})

/** What a user would see of one command line. */
export async function runCaptured(table: CommandTable, argv: readonly string[], io: FakeIo = fakeIo()) {
  const code = await runTable(table, argv, io)
  return { code, stdout: io.stdout.text, stderr: io.stderr.text }
}
