import { Interrupted, type Io, type Sink } from './cli/io.ts'
import { crash } from './cli/run.ts'
import { showCursor } from './cli/style.ts'
import { run } from './run.ts'

/** The edge: this process's streams, signals and exit code. Streams are opened when first used: each costs start-up time. */
async function main(argv: string[]): Promise<void> {
  const interrupt = new AbortController()
  const stdout = sink(() => process.stdout)
  const stderr = sink(() => process.stderr)
  const io: Io = {
    stdout,
    stderr,
    get stdin() {
      return process.stdin
    },
    env: process.env,
    invokedAs: process.argv[1] ?? '',
    now: () => performance.now(),
    signal: interrupt.signal,
  }
  process.on('uncaughtException', error => leave(crash(error, argv, io)))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) {
        if (stderr.isTTY) stderr.write(showCursor)
        leave(130)
      }
      interrupt.abort(new Interrupted())
    })
  }
  const code = await run(argv, io)
  await Promise.all([stdout.flushed(), stderr.flushed()])
  leave(code)
}

/** Idle connections must not keep the process alive. */
function leave(code: number): never {
  process.exit(code)
}

function sink(open: () => NodeJS.WriteStream): Sink & { flushed(): Promise<void> } {
  let opened: NodeJS.WriteStream | undefined
  const stream = () => {
    opened ??= open().on('error', quietOnClosedPipe)
    return opened
  }
  return {
    write: text => void stream().write(text),
    get isTTY() {
      return stream().isTTY === true
    },
    columns: () => stream().columns,
    rows: () => stream().rows,
    flushed: () => new Promise(resolve => (opened ? opened.write('', () => resolve()) : resolve())),
  }
}

/** `kubectl karmada-net ... | head`: the reader has what it wanted. */
function quietOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') leave(0)
  throw error
}

void main(process.argv.slice(2))
