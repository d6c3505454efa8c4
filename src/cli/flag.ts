import { UserError } from '../errors.ts'
import type { Complete } from './complete.ts'
import { formatDuration, parseDuration } from './duration.ts'

/** A flag as data: feeds the parser, help, completion and the docs page. `T` is what the command gets. */
export interface Flag<T> {
  kind: 'boolean' | 'string' | 'list'
  description: string
  /** One letter: `-n`. */
  short?: string | undefined
  /** Other long names. */
  aliases: readonly string[]
  /** Said in help: `--timeout=5m:`. */
  defaultText: string
  /** The value of the flag named alone: `--dry-run` means `--dry-run=client`; such a flag never takes the next word. */
  bare?: string | undefined
  choices?: readonly string[] | undefined
  /** Listed by `options`, not by each command's help. */
  global: boolean
  complete?: Complete | undefined
  /** The value is a file's path. */
  files: boolean
  /** All values given, in order; none when the flag is absent. Throws UserError. */
  read(texts: readonly string[], name: string): T
}

export interface FlagOptions {
  short?: string
  aliases?: readonly string[]
  global?: boolean
  complete?: Complete
  files?: boolean
}

type WithDefault<O, T> = O & { default: T }

const invalid = (text: string, name: string, why: string) =>
  new UserError(`invalid argument "${text}" for "--${name}" flag: ${why}`)

function make<T>(
  kind: Flag<T>['kind'],
  description: string,
  options: FlagOptions,
  rest: Pick<Flag<T>, 'read' | 'defaultText'> & Partial<Flag<T>>,
): Flag<T> {
  const { short, aliases = [], global = false, complete, files = false } = options
  return { kind, description, short, aliases, global, complete, files, ...rest }
}

/** The last value wins; without any, the default. */
function scalar<T>(parse: (text: string, name: string) => T, fallback: T): Flag<T>['read'] {
  return (texts, name) => {
    const last = texts.at(-1)
    return last === undefined ? fallback : parse(last, name)
  }
}

function boolean(description: string, options: FlagOptions & { default?: boolean } = {}): Flag<boolean> {
  const fallback = options.default ?? false
  // The words arrive as `true` and `false` whatever spelling the user chose (shapes.ts).
  return make('boolean', description, options, {
    defaultText: String(fallback),
    read: scalar(text => text === 'true', fallback),
  })
}

type StringOptions = FlagOptions & { choices?: readonly string[] }
function string(description: string, options: WithDefault<StringOptions, string>): Flag<string>
function string(description: string, options?: StringOptions): Flag<string | undefined>
function string(description: string, options: StringOptions & { default?: string } = {}): Flag<string | undefined> {
  return make<string | undefined>('string', description, options, {
    defaultText: `'${options.default ?? ''}'`,
    choices: options.choices,
    read: scalar<string | undefined>(text => text, options.default),
  })
}

type CountOptions = FlagOptions & { min?: number; max?: number }
/** A whole number. */
function count(description: string, options: WithDefault<CountOptions, number>): Flag<number>
function count(description: string, options?: CountOptions): Flag<number | undefined>
function count(description: string, options: CountOptions & { default?: number } = {}): Flag<number | undefined> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options
  const parse = (text: string, name: string) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (Number.isNaN(value)) throw invalid(text, name, 'must be a whole number')
    if (value < min) throw invalid(text, name, `must be ${min} or more`)
    if (value > max) throw invalid(text, name, `must be ${max} or less`)
    return value
  }
  return make<number | undefined>('string', description, options, {
    defaultText: String(options.default ?? "''"),
    read: scalar<number | undefined>(parse, options.default),
  })
}

type DurationOptions = FlagOptions & { bareSeconds?: boolean }
/** Go durations in, milliseconds out. `default` is in milliseconds; `bareSeconds` also takes `30` for 30 s. */
function duration(description: string, options: WithDefault<DurationOptions, number>): Flag<number>
function duration(description: string, options?: DurationOptions): Flag<number | undefined>
function duration(description: string, options: DurationOptions & { default?: number } = {}): Flag<number | undefined> {
  const parse = (text: string, name: string) => {
    const value = options.bareSeconds && /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text)
    if (value === undefined) throw invalid(text, name, 'must be a duration such as 30s, 5m or 1m30s')
    return value
  }
  return make<number | undefined>('string', description, options, {
    defaultText: options.default === undefined ? "''" : formatDuration(options.default),
    read: scalar<number | undefined>(parse, options.default),
  })
}

type ChoiceOptions = FlagOptions & { bare?: string }
/** One of a few words. `bare` is the value of the flag named alone. */
function choice<const C extends string>(
  choices: readonly C[],
  description: string,
  options: ChoiceOptions & { default: NoInfer<C> },
): Flag<C>
function choice<const C extends string>(
  choices: readonly C[],
  description: string,
  options?: ChoiceOptions,
): Flag<C | undefined>
function choice<const C extends string>(
  choices: readonly C[],
  description: string,
  options: ChoiceOptions & { default?: C } = {},
): Flag<C | undefined> {
  const parse = (text: string, name: string) => {
    const found = choices.find(word => word === text)
    if (found === undefined) throw invalid(text, name, `must be ${either(choices)}`)
    return found
  }
  return make<C | undefined>('string', description, options, {
    defaultText: `'${options.default ?? ''}'`,
    choices,
    bare: options.bare,
    read: scalar<C | undefined>(parse, options.default),
  })
}

/** Repeatable; as kubectl's string arrays, commas are not split. `item` turns each text into what the command gets, and may throw UserError. */
function list(description: string, options?: FlagOptions): Flag<string[]>
function list<T>(description: string, options: FlagOptions & { item: (text: string) => T }): Flag<T[]>
function list<T>(
  description: string,
  options: FlagOptions & { item?: (text: string) => T } = {},
): Flag<(T | string)[]> {
  const { item } = options
  return make<(T | string)[]>('list', description, options, {
    defaultText: '[]',
    read: texts => texts.map(text => (item ? item(text) : text)),
  })
}

function either(words: readonly string[]): string {
  const quoted = words.map(word => `"${word}"`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

export const flag = { boolean, string, count, duration, choice, list }

export type Flags = Record<string, Flag<unknown>>
export type FlagValues<F extends Flags> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

/** `dryRun` in code is `--dry-run` on the command line. */
export const flagName = (key: string) => key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
