import { type StdioOptions, spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface RunOptions {
  /** Standard input; without it, none. */
  input?: string | Iterable<Buffer> | AsyncIterable<Buffer> | undefined
  cwd?: string | undefined
  /** Added to this process's environment. */
  env?: Record<string, string> | undefined
  /** Milliseconds; then the program is killed. Default: no limit. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
  /** Standard output and error are this process's own; the result has neither. */
  inherit?: boolean | undefined
}

export interface RunResult {
  code: number
  stdout: string
  stderr: string
}

/** A program ended badly: `message` is the command and the last lines that it said. */
export class CommandError extends Error {
  readonly result: RunResult

  constructor(command: readonly string[], result: RunResult) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('\n  ')
    super(`${command.slice(0, 4).join(' ')} ... exited with ${result.code}${said ? `:\n  ${said}` : ''}`)
    this.name = 'CommandError'
    this.result = result
  }
}

/** Runs a program to its end. Throws `CommandError` when it exits with anything but 0. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await attempt(command, options)
  if (result.code !== 0) throw new CommandError(command, result)
  return result
}

/** As `run`, but any exit code is an answer (a signal's is 128 and above). Throws when the program cannot be started. */
export async function attempt(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = command
  if (!program) throw new Error('an empty command')
  const out = options.inherit ? 'inherit' : 'pipe'
  const stdio: StdioOptions = [options.input === undefined ? 'ignore' : 'pipe', out, out]
  const child = spawn(program, args, {
    stdio,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    signal: options.signal,
  })
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  child.stdout?.on('data', (chunk: Buffer) => output.stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => output.stderr.push(chunk))
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal ? 137 : 1)))
  })
  if (child.stdin && options.input !== undefined) {
    const input = typeof options.input === 'string' ? [Buffer.from(options.input)] : options.input
    // A program that ends before it has read everything says why itself.
    await Promise.race([pipeline(Readable.from(input), child.stdin).catch(() => {}), ended])
  }
  const code = await ended
  return { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString()
