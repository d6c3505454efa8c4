import { setTimeout as sleep } from 'node:timers/promises'

/** Waits `ms` milliseconds. Rejects with the signal's reason as soon as that ends it. */
export async function pause(ms: number, signal?: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
