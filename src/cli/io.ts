import type { Readable } from 'node:stream'

/** Where text goes: a process's stream, or a test's buffer. */
export interface Sink {
  write(text: string): void
  isTTY: boolean
  /** Width and height in characters; undefined where there is no terminal. */
  columns(): number | undefined
  rows(): number | undefined
}

/** Everything a command knows of the process it runs in. Tests make their own. */
export interface Io {
  /** Data only. */
  stdout: Sink
  /** Progress, warnings, errors, logs. */
  stderr: Sink
  stdin: Readable & { isTTY?: boolean | undefined }
  env: Record<string, string | undefined>
  /** The file this program was started as; kubectl starts completion under a name of its own. */
  invokedAs: string
  /** Milliseconds since any fixed moment; never goes back. */
  now(): number
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal
}

/** The user pressed Ctrl-C: the reason of `Io.signal`. Its message is all that is printed; the exit code is 130. */
export class Interrupted extends Error {
  constructor(message = 'Stopped.') {
    super(message)
    this.name = 'Interrupted'
  }
}

/** The program's name, as users type it. */
export const program = 'kubectl karmada-net'
