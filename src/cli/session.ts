import type { Io } from './io.ts'
import { type Paint, paintFor } from './style.ts'

/** What a running command has of the world around it. */
export interface Session {
  io: Io
  /** Aborted by Ctrl-C: hand it to everything that waits. */
  signal: AbortSignal
  /** -v */
  verbosity: number
  /** -q */
  quiet: boolean
  /** A line of data, on stdout. */
  out(text: string): void
  /** A line on what goes on, on stderr; nothing with -q. */
  say(text?: string): void
  /** `Warning: ...` on stderr. */
  warn(text: string): void
  /** What to do next, on stderr; nothing with -q. */
  hint(text: string): void
  /** A log line on stderr when -v is `level` or more. 6: one line per request; 8: headers. */
  log(level: number, text: string | (() => string)): void
  /** Colours for what goes to stderr. */
  paint: Paint
  /** Set while lines move on the terminal: what is written to stderr then goes above them. */
  above?: { write(text: string): void } | undefined
}

export function createSession(io: Io, options: { verbosity: number; quiet: boolean }): Session {
  const { verbosity, quiet } = options
  // Made when first used: to ask stderr whether it is a terminal takes time at every start.
  let made: Paint | undefined
  const paint: Paint = (style, text) => {
    made ??= paintFor(io.stderr, io.env)
    return made(style, text)
  }
  const tell = (text: string) => (session.above ?? io.stderr).write(`${text}\n`)
  const session: Session = {
    io,
    signal: io.signal,
    verbosity,
    quiet,
    paint,
    out: text => io.stdout.write(`${text}\n`),
    say: (text = '') => {
      if (!quiet) tell(text)
    },
    warn: text => tell(`${paint('yellow', 'Warning:')} ${text}`),
    hint: text => {
      if (!quiet) tell(`${paint('cyan', 'hint:')} ${text}`)
    },
    log: (level, text) => {
      if (level <= verbosity) tell(`${logPrefix(new Date())} ${typeof text === 'string' ? text : text()}`)
    },
  }
  return session
}

/** klog's, without process and file: `I1121 07:12:03.044`. */
function logPrefix(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(now.getMonth() + 1)}${two(now.getDate())}`
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`
  return `I${day} ${time}.${String(now.getMilliseconds()).padStart(3, '0')}`
}
