import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

export interface Written {
  bytes: number
  /** Of the database, hex. */
  sha256: string
}

/** What came is not what was sent, or not all of it. */
export class DamagedError extends Error {}

const trailerBytes = 32
const bufferBytes = 1 << 20
/** Pages the kernel may hold back; otherwise the end would wait for all of them at once. */
const syncEveryBytes = 64 << 20

/**
 * Writes a snapshot into a new file that only we may read, checks the SHA-256 at its end, and answers when the disk has it. Memory
 * stays flat: what comes waits for the disk. Throws DamagedError, what the stream throws, and what the disk says.
 */
export async function writeSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  onBytes?: (bytes: number) => void,
): Promise<Written> {
  const file = await open(path, 'wx', 0o600)
  try {
    const hash = createHash('sha256')
    const tail = createTail()
    const disk = createDisk(file)
    for await (const block of blocks(chunks, disk.spare)) {
      for (const part of tail.behind(block)) hash.update(part)
      await disk.write(block)
      onBytes?.(disk.written())
    }
    await disk.finish()
    const sha256 = hash.digest('hex')
    if (disk.written() < trailerBytes || tail.bytes().toString('hex') !== sha256) {
      throw new DamagedError('the snapshot was damaged on its way: its checksum does not fit')
    }
    await file.sync()
    return { bytes: disk.written(), sha256 }
  } finally {
    await file.close()
  }
}

/** Puts small chunks together; each block is the caller's until it asks for the second one after it. */
async function* blocks(chunks: AsyncIterable<Uint8Array>, spare: () => Buffer): AsyncGenerator<Buffer> {
  let buffer = spare()
  let used = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const length = Math.min(chunk.length - at, buffer.length - used)
      buffer.set(chunk.subarray(at, at + length), used)
      at += length
      used += length
      if (used === buffer.length) {
        yield buffer
        buffer = spare()
        used = 0
      }
    }
  }
  if (used > 0) yield buffer.subarray(0, used)
}

/** Holds back the last 32 bytes of everything, which only the end shows to be the checksum. */
function createTail() {
  let held: Buffer = Buffer.alloc(0)
  return {
    /** What is certain not to be the checksum, now that `block` is there. */
    behind(block: Buffer): Buffer[] {
      const cut = held.length + block.length - trailerBytes
      if (cut <= held.length) {
        const all = Buffer.concat([held, block])
        held = all.subarray(Math.max(0, cut))
        return [all.subarray(0, Math.max(0, cut))]
      }
      const before = [held, block.subarray(0, cut - held.length)]
      held = Buffer.from(block.subarray(block.length - trailerBytes))
      return before
    },
    bytes: () => held,
  }
}

interface File {
  write(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>
  datasync(): Promise<void>
}

/** One write at a time, behind the reader's back: while a block goes to the disk the next one is put together. */
function createDisk(file: File) {
  const buffers = [Buffer.allocUnsafeSlow(bufferBytes), Buffer.allocUnsafeSlow(bufferBytes)] as const
  let turn = 0
  let position = 0
  let unsynced = 0
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> = Promise.resolve()

  async function writeAll(block: Buffer, start: number): Promise<void> {
    for (let at = 0; at < block.length; ) {
      at += (await file.write(block, at, block.length - at, start + at)).bytesWritten
    }
  }
  /** An error that nobody waits for yet is heard by whoever waits next. */
  const quiet = (promise: Promise<void>) => {
    promise.catch(() => undefined)
    return promise
  }
  return {
    spare: (): Buffer => buffers[turn++ % 2 === 0 ? 0 : 1],
    async write(block: Buffer): Promise<void> {
      await writing
      writing = quiet(writeAll(block, position))
      position += block.length
      unsynced += block.length
      if (unsynced < syncEveryBytes) return
      unsynced = 0
      await syncing
      syncing = quiet(writing.then(() => file.datasync()))
    },
    async finish(): Promise<void> {
      await writing
      await syncing
    },
    written: () => position,
  }
}
