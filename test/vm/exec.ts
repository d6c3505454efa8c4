import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from '../setup/lock.ts'
import { CommandError, type RunOptions, type RunResult } from '../setup/run.ts'
import { execPorts, execSocket } from './qemu.ts'

/** What the agent answers: test/vm/agent/main.go. */
interface Reply {
  id?: string
  boot?: string
  started?: boolean
  out?: string
  err?: string
  exit?: number
  error?: string
}

export interface VmRunOptions extends RunOptions {
  /** Runs it on a terminal of this size; what it says is this process's output. */
  terminal?: { rows: number; columns: number } | undefined
}

/** Runs a program in the virtual machine of this folder to its end, over a line of its own. Throws `CommandError`. */
export async function runInVm(
  folder: string,
  name: string,
  command: string[],
  options: VmRunOptions = {},
): Promise<RunResult> {
  const result = await attemptInVm(folder, command, options)
  if (result.code !== 0) throw new CommandError([`${name}:`, ...command], result)
  return result
}

/**
 * As `runInVm`, but any exit code is an answer. While the machine starts, it waits.
 * Throws when the machine restarts or ends before the program does, or has no such program.
 */
export async function attemptInVm(folder: string, command: string[], options: VmRunOptions = {}): Promise<RunResult> {
  await using line = await freeLine(folder)
  return await converse(line.socket, command, options)
}

/** One client at a time has a line; the first free one is taken. */
async function freeLine(folder: string) {
  for (let port = 0; ; port = (port + 1) % execPorts) {
    const path = execSocket(folder, port)
    const lock = await tryLock(path)
    if (!lock) {
      if (port === execPorts - 1) await sleep(20)
      continue
    }
    try {
      const socket = await dial(path)
      return {
        socket,
        async [Symbol.asyncDispose]() {
          const closed = new Promise(resolve => socket.once('close', resolve))
          socket.destroy()
          await closed
          await lock[Symbol.asyncDispose]()
        },
      }
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw new Error(`the virtual machine is off: ${(error as Error).message}`)
    }
  }
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket))
    socket.once('error', reject)
  })
}

function converse(socket: Socket, command: string[], options: VmRunOptions): Promise<RunResult> {
  const id = randomUUID()
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  const show = options.inherit || options.terminal
  const say = (message: object) => socket.write(`\n${JSON.stringify({ id, ...message })}\n`)
  const { rows, columns: cols } = options.terminal ?? {}
  const start = () => say({ run: command, env: options.env, cwd: options.cwd, rows, cols })
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
  const end = (code: number) =>
    resolve({ code, stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString() })
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => end(137), options.timeoutMs)
  const abort = () => reject(options.signal?.reason)
  options.signal?.addEventListener('abort', abort)
  if (options.signal?.aborted) abort()

  let started = false
  const heard = ({ boot, started: begun, out, err, exit, error, id: of }: Reply) => {
    if (boot) {
      if (started) reject(new Error(`the virtual machine restarted during ${command.join(' ')}`))
      // The machine that was asked may have gone down before it heard.
      else start()
    }
    if (of !== id) return
    if (begun) {
      started = true
      void feed(socket, say, options.input).catch(reject)
    }
    for (const [stream, text] of [
      ['stdout', out],
      ['stderr', err],
    ] as const) {
      if (!text) continue
      const bytes = Buffer.from(text, 'base64')
      if (show) process[stream].write(bytes)
      else output[stream].push(bytes)
    }
    if (error !== undefined) reject(new Error(error))
    if (exit !== undefined) end(exit)
  }
  createInterface({ input: socket }).on('line', line => {
    const reply = parsed(line)
    if (reply) heard(reply)
  })
  socket.on('close', () => reject(new Error(`the virtual machine was switched off during ${command.join(' ')}`)))
  start()
  return promise.finally(() => {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', abort)
  })
}

/** Lines may be the rest of what an earlier client was told. */
function parsed(line: string): Reply | undefined {
  try {
    return JSON.parse(line) as Reply
  } catch {
    return undefined
  }
}

/** Standard input, in pieces that fit a line. */
async function feed(socket: Socket, say: (message: object) => boolean, input: RunOptions['input']): Promise<void> {
  const chunks = input === undefined ? [] : typeof input === 'string' ? [Buffer.from(input)] : input
  const closed = new Promise(resolve => socket.once('close', resolve))
  for await (const chunk of Readable.from(chunks) as AsyncIterable<Buffer>)
    for (let at = 0; at < chunk.length; at += 32_768) {
      const piece = chunk.subarray(at, at + 32_768).toString('base64')
      if (!say({ in: piece })) await Promise.race([new Promise(resolve => socket.once('drain', resolve)), closed])
    }
  say({ eof: true })
}
