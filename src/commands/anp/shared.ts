import { flag } from '../../cli/flag.ts'
import { mutatingFlags } from '../../cli/flags.ts'
import { UserError } from '../../errors.ts'

/** Why Karmada must be this new: before, karmada-agent was allowed more than it is today. */
export const oldestKarmada = '1.12.0'

const { dryRun, timeout, force } = mutatingFlags
/** Each step waits for the one before; there is nothing that could be left unwaited. */
export const anpMutatingFlags = { dryRun, timeout, force }

/** An API server as pods of the member reach it: `https://HOST[:PORT]`. */
export function apiServerOf(endpoint: string): { host: string; port: number } {
  const url = URL.parse(endpoint)
  if (url?.protocol !== 'https:' || !url.hostname || url.pathname !== '/' || url.search || url.username) {
    throw new UserError(`invalid argument "${endpoint}" for "--api-endpoint" flag: must be https://HOST[:PORT]`)
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) }
}

export const allFlag = (what: string) => flag.boolean(what, { short: 'a' })
