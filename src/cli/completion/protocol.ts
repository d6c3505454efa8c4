import { basename } from 'node:path'
import type { CommandTable } from '../command.ts'
import type { Io, Sink } from '../io.ts'
import { createSession } from '../session.ts'
import { type Completion, completions } from './candidates.ts'

/** The name under which kubectl looks for this plugin's completion. */
export const completerName = 'kubectl_complete-karmada_net'

/** The words to complete, where the command line asks for completion; undefined where it is an ordinary one. */
export function wordsToComplete(argv: readonly string[], invokedAs: string): readonly string[] | undefined {
  if (basename(invokedAs).startsWith(completerName)) return argv[0] === '__complete' ? argv.slice(1) : argv
  return argv[0] === '__complete' ? argv.slice(1) : undefined
}

/** A shell that hangs at a Tab is worse than one that offers nothing. */
const patienceMs = 1000

/** Prints candidates as kubectl reads them: `word<tab>description` a line, at last `:4`, or `:0` to offer files. Never fails. */
export async function complete(table: CommandTable, words: readonly string[], io: Io): Promise<number> {
  const { candidates, files } = await withinLimit(io, quiet => completions(table, words, quiet))
  const lines = candidates.map(({ word, description }) => [word, description].filter(Boolean).map(oneLine).join('\t'))
  io.stdout.write([...lines, files ? ':0' : ':4', ''].join('\n'))
  return 0
}

async function withinLimit(io: Io, work: (session: ReturnType<typeof createSession>) => Promise<Completion>) {
  const limit = AbortSignal.timeout(patienceMs)
  const signal = AbortSignal.any([io.signal, limit])
  const session = createSession({ ...io, stderr: nowhere, stdin: io.stdin, signal }, { verbosity: 0, quiet: true })
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  return Promise.race([work(session), late]).catch((): Completion => ({ candidates: [], files: false }))
}

const nowhere: Sink = { write: () => undefined, isTTY: false, columns: () => undefined, rows: () => undefined }

const oneLine = (text: string | undefined) => (text ?? '').replaceAll(/[\t\n]+/g, ' ')
