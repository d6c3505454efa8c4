import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Takes a lock of this machine; undefined when another process has it. It is a name in the kernel
 * that ends with the process, however that ends: no lock file is left behind.
 */
export async function tryLock(name: string): Promise<AsyncDisposable | undefined> {
  const server = createServer()
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen(`\0karmada-net/${name}`, () => resolve(true))
  })
  if (!taken) return undefined
  server.unref()
  return { [Symbol.asyncDispose]: () => new Promise(resolve => server.close(() => resolve())) }
}

/** Takes the lock as soon as it is free. */
export async function waitForLock(name: string): Promise<AsyncDisposable> {
  for (;;) {
    const lock = await tryLock(name)
    if (lock) return lock
    await sleep(100)
  }
}
