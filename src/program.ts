import { spawn } from 'node:child_process'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface ProgramOptions {
  /** The program's whole environment; its PATH is searched. */
  env: Record<string, string | undefined>
  /** Standard input; without it, none. */
  input?: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | undefined
  signal?: AbortSignal | undefined
  /** Milliseconds. Default: no limit. */
  timeoutMs?: number | undefined
  /** It is ended as soon as it has printed this much: the rest is not wanted. */
  enoughBytes?: number | undefined
}

export interface ProgramResult {
  /** 128 and above: a signal ended it. */
  code: number
  stdout: Buffer
  stderr: string
}

/** Milliseconds between asking a program to end and making it. */
const patienceMs = 3000

/**
 * Runs another program to its end; any exit code is an answer. Rejects with the signal's reason, with a TimeoutError, with what its input
 * failed with, and with the system's error (ENOENT) when it cannot be started.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env, input, signal, timeoutMs, enoughBytes = Number.POSITIVE_INFINITY }: ProgramOptions,
): Promise<ProgramResult> {
  const limits = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)]
  const ends = AbortSignal.any(limits.filter(limit => limit !== undefined))
  ends.throwIfAborted()
  const child = spawn(program, args, {
    env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // A group of its own: the terminal's Ctrl-C is ours to pass on.
    detached: true,
  })
  const [stdout, stderr] = [[] as Buffer[], [] as Buffer[]]
  let bytes = 0
  const end = () => {
    child.kill('SIGTERM')
    const insist = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    child.once('close', () => clearTimeout(insist))
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout.push(chunk)
    if (bytes < enoughBytes && bytes + chunk.length >= enoughBytes) end()
    bytes += chunk.length
  })
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  ends.addEventListener('abort', end)
  try {
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, by) => resolve(code ?? (by ? 128 : 1)))
    })
    let broken: { error: unknown } | undefined
    if (input && child.stdin) {
      feed(input, child.stdin).catch(error => {
        broken = { error }
        end()
      })
    }
    const code = await ended
    ends.throwIfAborted()
    if (broken) throw broken.error
    return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }
  } finally {
    ends.removeEventListener('abort', end)
  }
}

/** Rejects only with what the input itself fails with: a program that ends before it has read everything says why itself. */
async function feed(input: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, into: Writable) {
  let first: { broken: 'input' | 'program'; error: Error } | undefined
  const source = Readable.from(input)
  source.once('error', error => {
    first ??= { broken: 'input', error }
  })
  into.once('error', error => {
    first ??= { broken: 'program', error }
  })
  await pipeline(source, into).catch(() => undefined)
  if (first?.broken === 'input') throw first.error
}
