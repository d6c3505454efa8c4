import { createInterface } from 'node:readline/promises'
import { UserError } from '../errors.ts'
import type { Session } from './session.ts'

/**
 * Has the user type `name` before something that cannot be taken back; `what` is the sentence that says it. Throws UserError when
 * they type something else, or when nobody can be asked and `yes` was not given.
 */
export async function confirmByName(
  session: Session,
  name: string,
  what: string,
  { yes }: { yes: boolean },
): Promise<void> {
  if (yes) return
  const { stdin, stderr } = session.io
  if (!stdin.isTTY) throw new UserError(`${what.trim()}: there is no terminal to confirm it`, { hint: 'add --yes' })
  session.say(what)
  stderr.write(`Type ${name} to go on: `)
  const lines = createInterface({ input: stdin, terminal: false })
  try {
    const answer = await lines.question('', { signal: session.signal })
    if (answer.trim() !== name) throw new UserError(`"${answer.trim()}" is not ${name}: nothing was changed`)
  } finally {
    lines.close()
  }
}
