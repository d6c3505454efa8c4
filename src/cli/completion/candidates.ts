import { type Command, type CommandTable, childrenOf, type Entry } from '../command.ts'
import type { Candidate, Complete } from '../complete.ts'
import { type Flag, type Flags, flagName } from '../flag.ts'
import { kernelFlags } from '../flags.ts'
import { flagsOf, readFlags } from '../parse.ts'
import { find, flagsFor, wordOf } from '../route.ts'
import type { Session } from '../session.ts'
import { type Token, tokens } from '../shapes.ts'

export interface Completion {
  candidates: Candidate[]
  /** Offer names of files instead. */
  files: boolean
}

/** What was typed before the word in question. */
interface Typed {
  /** The command or noun; undefined: the program itself. */
  entry: Entry | undefined
  /** Words that are no command's name and no flag's. */
  words: string[]
  found: Token[]
}

const nothing: Completion = { candidates: [], files: false }

/** What the last of `words` may become; an empty last word asks for everything. May take as long as live candidates take. */
export async function completions(
  table: CommandTable,
  words: readonly string[],
  session: Session,
): Promise<Completion> {
  const before = words.slice(0, -1)
  const current = words.at(-1) ?? ''
  const typed = await read(table, before)
  const flags = typed.entry?.type === 'command' ? flagsOf(typed.entry) : kernelFlags
  const last = typed.found.at(-1)
  if (last?.type === 'unfinished') return valuesOf(flags, last.name, current, typed, session)
  if (current.startsWith('-') && !before.includes('--')) {
    const [flag] = current.includes('=') ? tokens([current], flags) : []
    // A boolean's value may be half a word yet.
    if (flag?.type === 'flag' || flag?.type === 'badBoolean')
      return valuesOf(flags, flag.name, flag.value, typed, session)
    return { candidates: matching(flagNames(flags, typed.found), current), files: false }
  }
  if (typed.entry?.type === 'command') return argument(typed.entry, current, typed, session)
  if (typed.words.length > 0) return nothing
  return { candidates: matching(namesOf(await childrenOf(table, typed.entry)), current), files: false }
}

/** Finds the command as routing does, but is content with what there is. */
async function read(table: CommandTable, before: readonly string[]): Promise<Typed> {
  const found = tokens(before, await flagsFor(table, before))
  const words = found.flatMap(token => (token.type === 'word' ? [token.text] : []))
  if (words[0] === 'help') words.shift()
  let entry: Entry | undefined
  while (entry?.type !== 'command' && words[0] !== undefined) {
    const next = find(await childrenOf(table, entry), words[0])
    if (!next) break
    entry = next
    words.shift()
  }
  return { entry, words, found }
}

const namesOf = (entries: readonly Entry[]): Candidate[] =>
  entries
    .filter(entry => entry.type === 'noun' || !entry.hidden)
    .map(entry => ({ word: wordOf(entry), description: entry.summary }))

/** Long names that are not given yet; lists may be given again. */
function flagNames(flags: Flags, found: readonly Token[]): Candidate[] {
  const given = new Set(found.flatMap(token => (token.type === 'flag' ? [token.name] : [])))
  return Object.entries(flags)
    .map(([key, flag]) => ({ name: flagName(key), flag }))
    .filter(({ name, flag }) => name.length > 1 && (flag.kind === 'list' || !given.has(name)))
    .map(({ name, flag }) => ({ word: `--${name}`, description: flag.description }))
}

async function valuesOf(flags: Flags, name: string, current: string, typed: Typed, session: Session) {
  const flag: Flag<unknown> | undefined = Object.entries(flags).find(([key]) => flagName(key) === name)?.[1]
  if (!flag) return nothing
  if (flag.files) return { candidates: [], files: true }
  const choices = flag.kind === 'boolean' ? ['true', 'false'] : flag.choices
  return {
    candidates: matching(await live(flag.complete, choices, current, typed, flags, session), current),
    files: false,
  }
}

async function argument(command: Command, current: string, typed: Typed, session: Session): Promise<Completion> {
  const args = Object.values(command.args)
  const at = typed.words.length
  const arg = args[at] ?? (args.at(-1)?.variadic ? args.at(-1) : undefined)
  if (!arg) return nothing
  const candidates = await live(arg.complete, arg.choices, current, typed, flagsOf(command), session)
  return { candidates: matching(candidates, current).filter(({ word }) => !typed.words.includes(word)), files: false }
}

async function live(
  complete: Complete | undefined,
  choices: readonly string[] | undefined,
  current: string,
  { words, found }: Typed,
  flags: Flags,
  session: Session,
): Promise<Candidate[]> {
  const all = complete
    ? await complete({ current, words, flags: readFlags(flags, found, { lenient: true }), session })
    : (choices ?? [])
  return all.map(candidate => (typeof candidate === 'string' ? { word: candidate } : candidate))
}

const matching = (candidates: readonly Candidate[], current: string) =>
  candidates.filter(({ word }) => word.startsWith(current))
