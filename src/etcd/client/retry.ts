import { pause } from '../../kube/pause.ts'
import { code, EtcdError, UnreachableError } from './errors.ts'

/**
 * Can the same call succeed a moment later, with nobody doing anything about it? An election, a restart, a hiccup of the network.
 * After a write it may have happened all the same: look before doing it again.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof UnreachableError) return error.failure !== 'tls' && error.failure !== 'name'
  if (!(error instanceof EtcdError)) return false
  const { said } = error
  if (error.code === code.unavailable || error.code === code.deadlineExceeded) return true
  if (error.code === code.unknown) return /raft proposal dropped|too many requests|leader changed|no leader/.test(said)
  // A learner that has only just been promoted, or has not caught up yet.
  return error.code === code.failedPrecondition && /rpc not supported for learner|in sync with leader/.test(said)
}

export interface RetryOptions {
  /** Milliseconds after which the last error is thrown. */
  forMs: number
  /** Milliseconds between two attempts; default 200. */
  everyMs?: number | undefined
  signal?: AbortSignal | undefined
  onRetry?: ((error: Error) => void) | undefined
}

/** Attempts until it works. Throws what is not transient at once, and the last error or the signal's reason in the end. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { forMs, everyMs = 200, signal, onRetry } = options
  const end = performance.now() + forMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      if (!isTransient(error) || performance.now() + everyMs > end) throw error
      onRetry?.(error as Error)
      await pause(everyMs, signal)
    }
  }
}
