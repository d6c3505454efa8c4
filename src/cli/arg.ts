import type { Complete } from './complete.ts'

/** A positional word of a command as data. `T` is what the command gets. */
export interface Arg<T> {
  /** As help writes it: `MEMBER`. */
  label: string
  variadic: boolean
  required: boolean
  choices?: readonly string[] | undefined
  complete?: Complete | undefined
  /** The words that fell to this argument. */
  read(words: readonly string[]): T
}

export interface ArgOptions {
  complete?: Complete | undefined
}

function one(label: string, options: ArgOptions & { required: true }): Arg<string>
function one(label: string, options?: ArgOptions & { required?: boolean }): Arg<string | undefined>
function one(label: string, options: ArgOptions & { required?: boolean } = {}): Arg<string | undefined> {
  return {
    label,
    variadic: false,
    required: options.required ?? false,
    complete: options.complete,
    read: words => words[0],
  }
}

/** Any number of words, at least one when `required`. Must be the last argument. */
function many(label: string, options: ArgOptions & { required?: boolean } = {}): Arg<string[]> {
  return {
    label,
    variadic: true,
    required: options.required ?? false,
    complete: options.complete,
    read: words => [...words],
  }
}

/** One of a few words (the parser refuses others). */
function choice<const C extends string>(label: string, choices: readonly C[], options: { required: true }): Arg<C>
function choice<const C extends string>(label: string, choices: readonly C[]): Arg<C | undefined>
function choice<const C extends string>(
  label: string,
  choices: readonly C[],
  options: { required?: boolean } = {},
): Arg<C | undefined> {
  return {
    label,
    variadic: false,
    required: options.required ?? false,
    choices,
    read: words => choices.find(word => word === words[0]),
  }
}

export const arg = { one, many, choice }

export type Args = Record<string, Arg<unknown>>
export type ArgValues<A extends Args> = { [K in keyof A]: A[K] extends Arg<infer T> ? T : never }
