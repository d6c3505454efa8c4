import type { CommandTable } from './command.ts'
import { complete, wordsToComplete } from './completion/protocol.ts'
import { errorLines, Failure } from './errors.ts'
import { kernelFlags } from './flags.ts'
import { help } from './help.ts'
import { Interrupted, type Io } from './io.ts'
import { parse } from './parse.ts'
import { type Route, route, verbosityOf } from './route.ts'
import { createSession } from './session.ts'
import { tokens } from './shapes.ts'
import { paintFor } from './style.ts'

/** Runs one command line; never throws. Answers the exit code. */
export async function runTable(table: CommandTable, argv: readonly string[], io: Io): Promise<number> {
  let verbosity = 0
  try {
    const words = wordsToComplete(argv, io.invokedAs)
    if (words) return await complete(table, words, io)
    const routed = await route(table, argv)
    verbosity = routed.verbosity
    return await runRoute(table, routed, io)
  } catch (error) {
    // After Ctrl-C it does not matter in whose words a wait was given up.
    const interrupted = io.signal.aborted && !(error instanceof Interrupted || error instanceof Failure)
    return fail(interrupted ? new Interrupted() : error, io, verbosity)
  }
}

async function runRoute(table: CommandTable, { entry, rest, help: helpWanted }: Route, io: Io): Promise<number> {
  if (helpWanted || entry?.type !== 'command') {
    io.stdout.write(await help(table, entry))
    return 0
  }
  const input = parse(entry, rest)
  const { v, quiet } = input.flags as { v: number; quiet: boolean }
  const session = createSession(io, { verbosity: v, quiet })
  return (await entry.run({ ...input, session })) ?? 0
}

/** Says what nobody caught, as any other error. Answers the exit code. */
export const crash = (error: unknown, argv: readonly string[], io: Io): number =>
  fail(error, io, verbosityOf(tokens(argv, kernelFlags)))

function fail(error: unknown, io: Io, verbosity: number): number {
  const paint = paintFor(io.stderr, io.env)
  for (const line of errorLines(error, verbosity)) io.stderr.write(`${highlight(line)}\n`)
  if (error instanceof Interrupted) return 130
  return error instanceof Failure ? error.exitCode : 1

  function highlight(line: string): string {
    if (line.startsWith('error: ')) return paint('red', 'error:') + line.slice('error:'.length)
    if (line.startsWith('hint: ')) return paint('cyan', 'hint:') + line.slice('hint:'.length)
    return line
  }
}
