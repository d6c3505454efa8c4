import { UserError } from '../errors.ts'
import { suggest } from '../suggest.ts'
import { allCommands, type Command, type CommandTable, type Noun } from './command.ts'
import type { Flags } from './flag.ts'
import { kernelFlags } from './flags.ts'
import { program } from './io.ts'
import { unknownFlag } from './parse.ts'
import { type Token, tokens } from './shapes.ts'

export interface Route {
  /** What the words name; undefined is the program itself. */
  entry: Command | Noun | undefined
  /** The command line without the words that named it. */
  rest: string[]
  /** `--help` or `-h` before any `--`, or the words begin with `help`. */
  help: boolean
  /** -v, wherever it stands: errors depend on it. */
  verbosity: number
}

/** Finds the command of a command line. Throws UserError for a word that names nothing. */
export function route(table: CommandTable, argv: readonly string[]): Route {
  const everything = tokens(argv, flagsOfAll(table))
  const words = everything.filter(token => token.type === 'word')
  const helpWord = words[0]?.text === 'help' ? words.shift() : undefined
  const named = helpWord ? [helpWord.index] : []
  let entry: Command | Noun | undefined
  for (const word of words) {
    if (entry?.type === 'command') break
    const next: Command | Noun | undefined = find(table, entry, word.text)
    if (!next) throw notFound(table, entry, word, everything)
    entry = next
    named.push(word.index)
  }
  const help = helpWord !== undefined || everything.some(isHelp)
  const unknown = everything.find(token => token.type === 'unknown')
  // A command's own flags are looked at when it is parsed.
  if (unknown && !help && entry?.type !== 'command') throw unknownFlag(unknown, flagsOfAll(table), `${program} options`)
  return {
    entry,
    rest: argv.filter((_, index) => !named.includes(index)),
    help,
    verbosity: verbosityOf(everything),
  }
}

const isHelp = (token: Token) => token.type === 'flag' && token.name === 'help' && token.value === 'true'

/** All flags of all commands: which words are flags' values must be known before the command is. */
export function flagsOfAll(table: CommandTable): Flags {
  return Object.assign({}, ...allCommands(table).map(command => command.flags), kernelFlags) as Flags
}

export function verbosityOf(found: readonly Token[]): number {
  const last = found.findLast(token => token.type === 'flag' && token.name === 'v')
  return last?.type === 'flag' ? Number.parseInt(last.value, 10) || 0 : 0
}

export const childrenOf = (table: CommandTable, entry: Noun | undefined): readonly (Command | Noun)[] =>
  entry ? entry.commands : table.groups.flatMap(group => group.commands)

/** The last word of the entry's name: `up` of `anp up`. */
export const wordOf = (entry: Command | Noun): string => entry.name.slice(entry.name.lastIndexOf(' ') + 1)

/** What a word names below a noun, or below the program itself. */
export function find(table: CommandTable, parent: Noun | undefined, word: string): Command | Noun | undefined {
  const name = parent ? `${parent.name} ${word}` : word
  return childrenOf(table, parent).find(entry => entry.name === name)
}

function notFound(
  table: CommandTable,
  parent: Noun | undefined,
  word: Token & { type: 'word' },
  all: readonly Token[],
) {
  const path = parent ? `${program} ${parent.name}` : program
  // `--contxt x anp up`: the flag is what is wrong, `x` is only its value.
  const before = all.find(token => token.type === 'unknown' && token.index < word.index)
  if (before?.type === 'unknown') return unknownFlag(before, flagsOfAll(table), `${path} --help`)
  const visible = childrenOf(table, parent).filter(entry => entry.type === 'noun' || !entry.hidden)
  const meant = suggest(word.text, visible.map(wordOf))
  return new UserError(`unknown command "${word.text}" for "${path}"`, {
    hint: meant ? `did you mean "${path} ${meant}"?` : `${path} --help`,
  })
}
