import { UserError } from '../../errors.ts'
import { runProgram } from '../../program.ts'

/** Neither program waits for anybody; a kernel module is loaded in less. Milliseconds. */
const patienceMs = 10_000

/**
 * Gives the lines to one `ipvsadm -R`: one process, however many lines. It goes on after a line that the kernel refuses, and its exit
 * code is that of the last one: what it says is the answer, empty where all went well. Throws `UserError` where it cannot run.
 */
export async function changeTable(lines: readonly string[]): Promise<string> {
  const input = [Buffer.from(lines.map(line => `${line}\n`).join(''))]
  const { code, stderr } = await run('ipvsadm', ['-R'], input)
  return oneLine(stderr) || (code === 0 ? '' : `ipvsadm -R ended with ${code}`)
}

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
