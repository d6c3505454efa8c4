import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DamagedError, writeSnapshot } from '../../../../src/etcd/snapshot/write.ts'
import { temporaryFolder, withChecksum } from './files.ts'

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const mebibyte = 2 ** 20
test.each([
  ['in one piece', 20_480, 65_536],
  ['byte by byte', 4096, 1],
  ['in pieces of 32 KiB over several blocks', 3 * mebibyte + 4096, 32_768],
  ['the checksum alone in the last block', 2 * mebibyte, 32_768],
  ['the checksum cut by the end of a block', 2 * mebibyte - 16, 32_768],
  ['exactly one block', mebibyte - 32, 32_768],
  ['pieces longer than a block', 5 * mebibyte, 2.5 * mebibyte],
])('%s', async (_, length, size) => {
  await using folder = await temporaryFolder()
  const whole = withChecksum(randomBytes(length))
  const heard: number[] = []
  const written = await writeSnapshot(cut(whole, size), folder.path('a'), bytes => heard.push(bytes))
  expect((await readFile(folder.path('a'))).equals(whole)).toBe(true)
  expect(written).toEqual({ bytes: whole.length, sha256: whole.subarray(-32).toString('hex') })
  expect(heard.at(-1)).toBe(whole.length)
  expect((await stat(folder.path('a'))).mode & 0o777).toBe(0o600)
})

test.each([
  ['changed on its way', (whole: Buffer) => Buffer.concat([whole.subarray(0, 5), Buffer.from('x'), whole.subarray(6)])],
  ['cut off', (whole: Buffer) => whole.subarray(0, -1)],
  ['without its checksum', (whole: Buffer) => whole.subarray(0, -32)],
  ['shorter than a checksum', (whole: Buffer) => whole.subarray(0, 7)],
  ['nothing at all', () => Buffer.alloc(0)],
])('%s', async (_, change) => {
  await using folder = await temporaryFolder()
  const bytes = change(withChecksum(randomBytes(mebibyte)))
  await expect(writeSnapshot(cut(bytes, 32_768), folder.path('a'))).rejects.toBeInstanceOf(DamagedError)
})

test('what the stream throws comes out, and a file that is there is left alone', async () => {
  await using folder = await temporaryFolder()
  const broken = async function* () {
    yield Buffer.alloc(10)
    throw new Error('reset')
  }
  await expect(writeSnapshot(broken(), folder.path('a'))).rejects.toThrow('reset')
  await expect(writeSnapshot(broken(), folder.path('a'))).rejects.toMatchObject({ code: 'EEXIST' })
})
