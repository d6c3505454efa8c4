import { UserError } from '../../errors.ts'
import { runProgram } from '../../program.ts'

/** Neither program waits for anybody; a kernel module is loaded in less. Milliseconds. */
const patienceMs = 10_000

/**
 * Gives the lines to one `ipvsadm -R`: one process, however many lines. It goes on after a line that the kernel refuses, and its exit
 * code is that of the last one: what it says is the answer, empty where all went well. Throws `UserError` where it cannot run.
 */
export async function changeTable(lines: readonly string[]): Promise<string> {
  return saidBy(await run('ipvsadm', ['-R'], [textOf(lines)]))
}

/** As `changeTable`, but the process is there already when it is needed: on a busy node a start takes longer than all the rest. */
export function createTableWriter(): typeof changeTable {
  let waiting: ReturnType<typeof startAhead> | undefined

  return async lines => {
    const ready = waiting?.isThere() ? waiting : undefined
    waiting = undefined
    if (ready) ready.give(textOf(lines))
    const said = ready ? saidBy(await ready.ended) : await changeTable(lines)
    // Once it has worked it will again.
    if (said === '') waiting = startAhead()
    return said
  }
}

/** It reads standard input line by line, and waits for the first. */
function startAhead() {
  const { promise, resolve: give } = Promise.withResolvers<Buffer>()
  async function* input() {
    yield await promise
  }
  let isThere = true
  const ended = runProgram('ipvsadm', ['-R'], { env: process.env, input: input() }).finally(() => {
    isThere = false
  })
  ended.catch(() => undefined)
  return { give, ended, isThere: () => isThere }
}

const textOf = (lines: readonly string[]): Buffer => Buffer.from(lines.map(line => `${line}\n`).join(''))

const saidBy = ({ code, stderr }: { code: number; stderr: string }): string =>
  oneLine(stderr) || (code === 0 ? '' : `ipvsadm -R ended with ${code}`)

/** Makes the kernel load IPVS, if it has it: the first question does. */
export const wakeIpvs = async (): Promise<string> => oneLine((await run('ipvsadm', ['-Ln'])).stderr)

/** Runs `ip`. Answers what it said against it, or nothing. Throws `UserError` where it cannot run. */
export async function changeRoute(args: readonly string[]): Promise<string> {
  const { code, stderr } = await run('ip', args)
  return code === 0 ? '' : oneLine(stderr) || `ip ended with ${code}`
}

async function run(program: string, args: readonly string[], input?: Buffer[]) {
  try {
    return await runProgram(program, args, { env: process.env, input, timeoutMs: patienceMs })
  } catch (cause) {
    const { code, name, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new UserError(`${program} is not there: install the package "${packageOf[program]}"`)
    if (name === 'TimeoutError') throw new UserError(`${program}: no answer in ${patienceMs / 1000} s`, { cause })
    throw new UserError(`${program} cannot be run: ${message}`, { cause })
  }
}

const packageOf: Record<string, string> = { ipvsadm: 'ipvsadm', ip: 'iproute2' }

const oneLine = (text: string): string =>
  [...new Set(text.trim().split('\n').map(withoutHints))].filter(Boolean).join('; ')

// What ipvsadm adds to each refusal is about its command line.
const withoutHints = (line: string): string => (/^Try `/.test(line) ? '' : line.trim())
