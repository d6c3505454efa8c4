import { UserError } from '../errors.ts'
import { suggest } from '../suggest.ts'
import { allCommands, type CommandTable, childrenOf, type Entry, type Noun } from './command.ts'
import type { Flags } from './flag.ts'
import { kernelFlags, planeFlags } from './flags.ts'
import { program } from './io.ts'
import { unknownFlag } from './parse.ts'
import { type Token, tokens } from './shapes.ts'

export interface Route {
  /** What the words name; undefined is the program itself. */
  entry: Entry | undefined
  /** The command line without the words that named it. */
  rest: string[]
  /** `--help` or `-h` before any `--`, or the words begin with `help`. */
  help: boolean
  /** -v, wherever it stands: errors depend on it. */
  verbosity: number
}

/** Finds the command of a command line. Throws UserError for a word that names nothing. */
export async function route(table: CommandTable, argv: readonly string[]): Promise<Route> {
  const flags = await flagsFor(table, argv)
  const everything = tokens(argv, flags)
  const words = everything.filter(token => token.type === 'word')
  const helpWord = words[0]?.text === 'help' ? words.shift() : undefined
  const named = helpWord ? [helpWord.index] : []
  let entry: Entry | undefined
  for (const word of words) {
    if (entry?.type === 'command') break
    const children = await childrenOf(table, entry)
    const next = find(children, word.text)
    if (!next) throw notFound(children, entry, word, everything, flags)
    entry = next
    named.push(word.index)
  }
  const help = helpWord !== undefined || everything.some(isHelp)
  const unknown = everything.find(token => token.type === 'unknown')
  // A command's own flags are looked at when it is parsed.
  if (unknown && !help && entry?.type !== 'command') throw unknownFlag(unknown, flags, `${program} options`)
  return {
    entry,
    rest: argv.filter((_, index) => !named.includes(index)),
    help,
    verbosity: verbosityOf(everything),
  }
}

const isHelp = (token: Token) => token.type === 'flag' && token.name === 'help' && token.value === 'true'

/**
 * Which words are flags' values must be known before the command is. So these are the flags of all commands that it may be: those of
 * the noun that comes first, and of all nouns only where a flag of theirs stands before it.
 */
export async function flagsFor(table: CommandTable, argv: readonly string[]): Promise<Flags> {
  const common = { ...planeFlags, ...kernelFlags }
  const telling = tokens(argv, common).filter(({ type }) => type === 'word' || type === 'unknown')
  const [first, second] = telling
  const decisive = first?.type === 'word' && first.text === 'help' ? second : first
  if (!decisive) return common
  const entry = decisive.type === 'word' ? find(await childrenOf(table, undefined), decisive.text) : undefined
  if (decisive.type === 'word' && !entry) return common
  const commands = entry?.type === 'command' ? [entry] : await allCommands(table, entry)
  return Object.assign({}, ...commands.map(({ flags }) => flags), common) as Flags
}

export function verbosityOf(found: readonly Token[]): number {
  const last = found.findLast(token => token.type === 'flag' && token.name === 'v')
  return last?.type === 'flag' ? Number.parseInt(last.value, 10) || 0 : 0
}

/** The last word of the entry's name: `up` of `anp up`. */
export const wordOf = (entry: Entry): string => entry.name.slice(entry.name.lastIndexOf(' ') + 1)

/** What a word names among the children of a noun, or of the program itself. */
export const find = (children: readonly Entry[], word: string): Entry | undefined =>
  children.find(entry => wordOf(entry) === word)

function notFound(
  children: readonly Entry[],
  parent: Noun | undefined,
  word: Token & { type: 'word' },
  all: readonly Token[],
  flags: Flags,
) {
  const path = parent ? `${program} ${parent.name}` : program
  // `--contxt x anp up`: the flag is what is wrong, `x` is only its value.
  const before = all.find(token => token.type === 'unknown' && token.index < word.index)
  if (before?.type === 'unknown') return unknownFlag(before, flags, `${path} --help`)
  const visible = children.filter(entry => entry.type === 'noun' || !entry.hidden)
  const meant = suggest(word.text, visible.map(wordOf))
  return new UserError(`unknown command "${word.text}" for "${path}"`, {
    hint: meant ? `did you mean "${path} ${meant}"?` : `${path} --help`,
  })
}
