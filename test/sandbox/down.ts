import { rm } from 'node:fs/promises'
import { destroyCgroups } from './cgroups.ts'
import { restoreKernel } from './kernel.ts'
import { disconnectRoot } from './network.ts'
import { sandboxDir } from './paths.ts'
import { lockSandbox, lockShared, releaseSlot, slotOf } from './state.ts'

/**
 * Removes a sandbox whatever state it is in. Its processes are those of its control group; namespaces, mounts and interfaces
 * end with the last of them. Returns how many processes were ended.
 */
export async function down(name: string): Promise<number> {
  await using _lock = await lockSandbox(name)
  return destroy(name)
}

/** As `down`, for a caller that holds the lock. */
export async function destroy(name: string): Promise<number> {
  const processes = await destroyCgroups(name)
  await using _lock = await lockShared()
  const slot = await slotOf(name)
  if (slot !== undefined) await disconnectRoot(slot)
  await rm(sandboxDir(name), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  await releaseSlot(name)
  await restoreKernel()
  return processes
}
