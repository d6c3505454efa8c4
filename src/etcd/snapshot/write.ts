import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { boundedMemory } from './memory.ts'

export interface Written {
  bytes: number
  /** Of the database, hex. */
  sha256: string
}

/** What came is not what was sent, or not all of it. */
export class DamagedError extends Error {}

const trailerBytes = 32
const bufferBytes = 512 << 10
const buffersInFlight = 8
/** Pages the kernel may hold back; otherwise the end would wait for all of them at once. */
const syncEveryBytes = 256 << 20

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
    const memory = boundedMemory()
    for await (const { buffer, length } of blocks(chunks, disk.spare)) {
      for (const part of tail.behind(buffer.subarray(0, length))) hash.update(part)
      disk.write(buffer, length)
      memory.trim()
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

/** Puts small chunks together. */
async function* blocks(chunks: AsyncIterable<Uint8Array>, spare: () => Promise<Buffer>) {
  let buffer = await spare()
  let length = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const more = Math.min(chunk.length - at, buffer.length - length)
      buffer.set(chunk.subarray(at, at + more), length)
      at += more
      length += more
      if (length === buffer.length) {
        yield { buffer, length }
        buffer = await spare()
        length = 0
      }
    }
  }
  if (length > 0) yield { buffer, length }
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

/**
 * Several writes at the same time, behind the back of whoever reads: one after the other they held up the stream on a busy machine.
 */
function createDisk(file: File) {
  const free = Array.from({ length: buffersInFlight }, () => Buffer.allocUnsafeSlow(bufferBytes))
  const writing: { done: Promise<void>; buffer: Buffer }[] = []
  let position = 0
  let unsynced = 0
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
    async spare(): Promise<Buffer> {
      const buffer = free.pop()
      if (buffer) return buffer
      const oldest = writing.shift()
      await oldest?.done
      return oldest?.buffer ?? Buffer.allocUnsafeSlow(bufferBytes)
    },
    /** `buffer` is the disk's until `spare` gives it again; `length`: of what is in it. */
    write(buffer: Buffer, length: number): void {
      writing.push({ buffer, done: quiet(writeAll(buffer.subarray(0, length), position)) })
      position += length
      unsynced += length
      if (unsynced < syncEveryBytes) return
      unsynced = 0
      syncing = quiet(syncing.then(() => file.datasync()))
    },
    async finish(): Promise<void> {
      for (const { done } of writing) await done
      await syncing
    },
    written: () => position,
  }
}
