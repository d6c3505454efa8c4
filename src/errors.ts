/**
 * The user's mistake or their world's: said in one line, with what to do next. Everything may throw it; `cli/` alone prints it.
 * Anything else that reaches the edge is our bug.
 */
export class UserError extends Error {
  /** What to do next, ideally a command that can be pasted. */
  readonly hint: string | undefined

  constructor(message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.hint = options.hint
  }
}
