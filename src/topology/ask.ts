import { UserError } from '../errors.ts'
import { isConnectionError, isForbidden, isNotFound, isStatus, isUnauthorized } from '../kube/errors.ts'
import type { CallOptions } from '../kube/types.ts'
import { accessOf } from './access.ts'
import { createLimit } from './limit.ts'
import type { Access, Gap, Probe } from './types.ts'

/** Requests at a time to a far server. */
const lanes = 4
/**
 * A server that lets us idle so long is far: further connections cost a TLS handshake each, but save round trips. Idle, because our
 * own work with many contexts at once takes longer than a near server.
 */
const nearMs = 10

/** What matters most is said first, whichever failed first. */
const weight: Record<Gap['piece'], number> = { clusters: 0, namespace: 1, pods: 2, details: 3, version: 4 }

export interface Asker {
  /**
   * One request of a probe. Undefined when the answer was 404, or none, or no; all but the first are kept as gaps.
   * `to` is what the user would do: `list clusters`.
   */
  ask<T>(piece: Gap['piece'], to: string, run: (options: CallOptions) => Promise<T>): Promise<T | undefined>
  /** What became of the context as a whole. */
  outcome(): Pick<Probe, 'access' | 'note' | 'gaps'>
}

/** Asks one server, all within `timeoutMs`. */
export function createAsker(timeoutMs: number, signal: AbortSignal): Asker {
  const limit = createLimit(1)
  const began = performance.eventLoopUtilization()
  const far = setInterval(() => {
    if (performance.eventLoopUtilization(began).idle < nearMs) return
    limit.widen(lanes)
    clearInterval(far)
  }, nearMs / 2)
  const gaps: Gap[] = []
  let answered = false
  let failure: Pick<Probe, 'access' | 'note'> | undefined

  /** One gap per piece: which of its requests failed makes no difference to the user. */
  function gap(piece: Gap['piece'], text: string): void {
    if (!gaps.some(known => known.piece === piece)) gaps.push({ piece, text })
  }

  function note(piece: Gap['piece'], to: string, error: unknown): void {
    if (isForbidden(error)) {
      answered = true
      gap(piece, `may not ${to}`)
    } else {
      const { access, why } = meaning(error)
      failure ??= { access, note: why }
      gap(piece, `could not ${to}: ${why}`)
    }
  }

  return {
    ask: (piece, to, run) =>
      limit(async () => {
        try {
          const answer = await run({ signal, timeoutMs })
          answered = true
          return answer
        } catch (error) {
          if (isNotFound(error)) answered = true
          // Aborted from outside: one error for the whole probe is enough, its other requests just end.
          else if (!signal.aborted || isConnectionError(error)) note(piece, to, error)
          return undefined
        } finally {
          clearInterval(far)
        }
      }),
    outcome: () =>
      answered
        ? { access: 'ok', gaps: gaps.sort((a, b) => weight[a.piece] - weight[b.piece]) }
        : { access: 'error', ...failure, gaps: [] },
  }
}

/** Throws what is no failure of the context. */
function meaning(error: unknown): { access: Access; why: string } {
  if (isUnauthorized(error))
    return { access: 'unauthorized', why: `the server does not accept the credentials: ${error.message}` }
  if (isConnectionError(error)) return { access: accessOf[error.failure], why: error.detail }
  if (isStatus(error) || error instanceof UserError) return { access: 'error', why: error.message }
  throw error
}
