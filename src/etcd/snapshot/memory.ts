import { memoryUsage } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Buffers in use or waiting to be collected; what is in use is about 10 MB. */
const mostBytes = 16e6

/**
 * Keeps memory flat while a gigabyte flows through. V8 counts a buffer as the few bytes of its object and lets 64 MB of dead ones
 * gather; where the disk is slower than the network they are old enough that only a full collection (10 to 40 ms) finds them.
 */
export function boundedMemory(): { trim(): void } {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return {
    trim() {
      if (typeof collect === 'function' && memoryUsage().arrayBuffers > mostBytes) collect()
    },
  }
}
