import { Parser } from 'yargs/helpers'
import { UserError } from '../errors.ts'
import { suggest } from '../suggest.ts'
import type { Command } from './command.ts'
import { type Flags, flagName } from './flag.ts'
import { kernelFlags } from './flags.ts'
import { program } from './io.ts'
import { type Token, tokens } from './shapes.ts'

/** yargs' own guesses (numbers, dots, camel case, greedy lists) all differ from kubectl's, so all are off. */
const configuration = {
  'dot-notation': false,
  'camel-case-expansion': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'greedy-arrays': false,
  'boolean-negation': false,
  'short-option-groups': false,
}

/** What the command's `run` gets of its command line: arguments by name, and `flags`. */
export interface Input extends Record<string, unknown> {
  flags: Record<string, unknown>
}

export const flagsOf = (command: Command): Flags => ({ ...command.flags, ...kernelFlags })

/** Reads a command line without the command's own words. Throws UserError for everything that does not fit, with kubectl's words. */
export function parse(command: Command, argv: readonly string[]): Input {
  const flags = flagsOf(command)
  const found = tokens(argv, flags)
  for (const token of found) refuse(token, command, flags)
  const words = found.flatMap(token => (token.type === 'word' ? [token.text] : []))
  return { ...readArgs(command, words), flags: readFlags(flags, found) }
}

/** Flag values of tokens; those that cannot be read throw UserError, or with `lenient` have their default. */
export function readFlags(flags: Flags, found: readonly Token[], options: { lenient?: boolean } = {}) {
  // Quoted, as yargs takes one pair of quotes off each value, also off those that the user meant.
  const args = found.flatMap(token => (token.type === 'flag' ? [`--${token.name}="${token.value}"`] : []))
  const given = Parser(args, {
    array: Object.keys(flags).map(key => ({ key: flagName(key), string: true })),
    configuration,
  })
  const values: Record<string, unknown> = {}
  for (const [key, flag] of Object.entries(flags)) {
    const name = flagName(key)
    const texts = (given[name] as string[] | undefined) ?? []
    try {
      values[key] = flag.read(texts, name)
    } catch (error) {
      if (!options.lenient) throw error
      values[key] = flag.read([], name)
    }
  }
  return values
}

function refuse(token: Token, command: Command, flags: Flags) {
  if (token.type === 'unknown') throw unknownFlag(token, flags, `${program} ${command.name} --help`)
  if (token.type === 'unfinished') {
    const detail = token.spelled.startsWith('--') ? token.spelled : `'${token.spelled.slice(1)}' in ${token.spelled}`
    throw new UserError(`flag needs an argument: ${detail}`)
  }
  if (token.type === 'badBoolean')
    throw new UserError(`invalid argument "${token.value}" for "--${token.name}" flag: must be true or false`)
}

/** As kubectl prints it, and what was probably meant; otherwise `help`, the command that lists the flags. */
export function unknownFlag(token: Token & { type: 'unknown' }, flags: Flags, help: string): UserError {
  const { spelled, text } = token
  if (!spelled.startsWith('--')) {
    return new UserError(`unknown shorthand flag: '${spelled.slice(1)}' in ${text}`, { hint: help })
  }
  const names = Object.entries(flags).flatMap(([key, flag]) => [flagName(key), ...flag.aliases])
  const meant = suggest(spelled.slice(2), names)
  return new UserError(`unknown flag: ${spelled}`, { hint: meant ? `did you mean --${meant}?` : help })
}

function readArgs(command: Command, words: readonly string[]): Record<string, unknown> {
  const rest = [...words]
  const values: Record<string, unknown> = {}
  for (const [key, arg] of Object.entries(command.args)) {
    const taken = rest.splice(0, arg.variadic ? rest.length : 1)
    const usage = `${program} ${usageOf(command)}`
    if (arg.required && taken.length === 0) throw new UserError(`${arg.label} is missing`, { hint: usage })
    const wrong = arg.choices && taken.find(word => !arg.choices?.includes(word))
    if (wrong !== undefined)
      throw new UserError(`invalid argument "${wrong}" for ${arg.label}`, {
        hint: `one of: ${arg.choices?.join(', ')}`,
      })
    values[key] = arg.read(taken)
  }
  if (rest.length > 0)
    throw new UserError(`unexpected argument "${rest[0]}"`, { hint: `${program} ${usageOf(command)}` })
  return values
}

/** `anp up [MEMBER...]` */
export function usageOf(command: Command): string {
  const args = Object.values(command.args).map(arg => {
    const label = arg.variadic ? `${arg.label}...` : arg.label
    return arg.required ? label : `[${label}]`
  })
  return [command.name, ...args].join(' ')
}
