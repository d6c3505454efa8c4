import { UserError } from '../errors.ts'
import { ConnectionError, describeStatus, StatusError } from '../kube/errors.ts'
import { Interrupted } from './io.ts'

/** An error as the user reads it. */
export interface Explained {
  /** Without the leading `error: `; may have several lines. */
  message: string
  /** False for what kubectl prints bare: `Error from server (NotFound): ...`, `The connection to the server ...`. */
  prefixed: boolean
  hint?: string | undefined
  /** Ours, not the user's: a stack helps. */
  bug?: boolean | undefined
}

/** A failure whose own text needs none: it was said already, or `message` says it in full. */
export class Failure extends Error {
  readonly parts: readonly { about?: string | undefined; error: unknown }[]
  readonly exitCode: number

  /** `parts`: what failed, each with what it is about (`member2`), printed one after the other. */
  constructor(parts: readonly { about?: string | undefined; error: unknown }[], exitCode = 1) {
    super(parts.map(part => String(part.error)).join('; '))
    this.name = 'Failure'
    this.parts = parts
    this.exitCode = exitCode
  }
}

/** The one place where errors become text: all lines for stderr. `verbosity` 8 adds stacks. */
export function errorLines(error: unknown, verbosity = 0): string[] {
  const lines = flatten(error).flatMap(({ about, error: part }) => render(explain(part), about))
  return verbosity >= 8 ? [...lines, ...stacks(error)] : lines
}

/** One error in the user's words. */
export function explain(error: unknown): Explained {
  if (error instanceof UserError) return { message: error.message, prefixed: true, hint: error.hint }
  if (error instanceof StatusError) return explainStatus(error)
  if (error instanceof ConnectionError) return { message: error.message, prefixed: false }
  if (error instanceof Interrupted) return { message: error.message, prefixed: false }
  if (error instanceof Error && /^(Abort|Timeout)Error$/.test(error.name))
    return { message: 'no answer in time', prefixed: true }
  const system = explainSystem(error)
  if (system) return { message: system, prefixed: true }
  const message = error instanceof Error ? error.message || error.name : (JSON.stringify(error) ?? String(error))
  return {
    message: `internal: ${message}`,
    prefixed: true,
    hint: 'this is a bug; run the same command again with -v=8 and report what it prints',
    bug: true,
  }
}

function explainStatus(error: StatusError): Explained {
  const text = describeStatus(error)
  const prefixed = text.startsWith('error: ')
  const hint = error.reason === 'Forbidden' ? forbiddenHint(error) : undefined
  return { message: prefixed ? text.slice('error: '.length) : text, prefixed, hint }
}

/** Names the verb and the resource that the server's message names, as a command that asks for exactly them. */
function forbiddenHint(error: StatusError): string | undefined {
  const said = /cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(
    error.message,
  )
  if (!said) return undefined
  const [, verb, resource, group, namespace] = said
  const [kind, subresource] = (resource ?? '').split('/')
  const words = [
    'kubectl auth can-i',
    verb,
    group ? `${kind}.${group}` : kind,
    ...(subresource ? [`--subresource=${subresource}`] : []),
    ...(namespace ? ['-n', namespace] : []),
    ...(error.request.context ? ['--context', error.request.context] : []),
  ]
  return `needed: ${verb} on ${resource}; ask with: ${words.join(' ')}`
}

const systemErrors: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
}

/** A file that cannot be used is the world's fault; said as Go's programs say it. */
function explainSystem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall, path } = error as NodeJS.ErrnoException
  const why = code === undefined ? undefined : systemErrors[code]
  return why && path ? `${syscall ?? 'open'} ${path}: ${why}` : undefined
}

interface Part {
  about?: string | undefined
  error: unknown
}

function flatten(error: unknown, about?: string): Part[] {
  if (error instanceof Failure) return error.parts.flatMap(part => flatten(part.error, part.about ?? about))
  if (error instanceof AggregateError) return error.errors.flatMap(each => flatten(each, about))
  return [{ about, error }]
}

function render({ message, prefixed, hint }: Explained, about: string | undefined): string[] {
  // Behind a name, `Error from server` reads as part of the sentence.
  const first = about !== undefined ? `error: ${about}: ${message}` : prefixed ? `error: ${message}` : message
  return [...first.split('\n'), ...(hint ? [`hint: ${hint}`] : [])]
}

function stacks(error: unknown): string[] {
  return flatten(error).flatMap(({ error: part }) => {
    const lines: string[] = []
    for (let cause = part; cause instanceof Error; cause = cause.cause) {
      if (lines.length > 0) lines.push('caused by:')
      lines.push(...(cause.stack ?? cause.message).split('\n'))
    }
    return lines
  })
}
