import { Interrupted, type Sink } from './cli/io.ts'
import { run } from './run.ts'

/** The edge: this process's streams, signals and exit code. The streams are opened when first used: each costs start-up time. */
async function main(): Promise<void> {
  const interrupt = new AbortController()
  process.on('SIGINT', () => {
    if (interrupt.signal.aborted) leave(130)
    interrupt.abort(new Interrupted())
  })
  const stdout = sink(() => process.stdout)
  const stderr = sink(() => process.stderr)
  const code = await run(process.argv.slice(2), {
    stdout,
    stderr,
    get stdin() {
      return process.stdin
    },
    env: process.env,
    invokedAs: process.argv[1] ?? '',
    now: () => performance.now(),
    signal: interrupt.signal,
  })
  await Promise.all([stdout.flushed(), stderr.flushed()])
  leave(code)
}

/** Idle connections must not keep the process alive. */
function leave(code: number | undefined): never {
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

void main()
