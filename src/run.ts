import type { Io } from './cli/io.ts'
import { runTable } from './cli/run.ts'
import { commands } from './commands/index.ts'

/** Runs one command line (without the program's name); never throws. Answers the exit code. */
export const run = (argv: readonly string[], io: Io): Promise<number> => runTable(commands, argv, io)
