import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pkiStream, publicOf, readDelivered, type Slot, sameFiles } from '../../../../src/etcd/drivers/docker/pki.ts'
import { readTar, tarEnd, tarFile, tarHeader } from '../../../../src/etcd/drivers/docker/tar.ts'

const certificate = (of: string) => `-----BEGIN CERTIFICATE-----\n${of}\n-----END CERTIFICATE-----\n`
const key = (of: string) => `-----BEGIN PRIVATE KEY-----\n${of}\n-----END PRIVATE KEY-----\n`
const files = (life: string) => ({
  'ca.crt': certificate(`ca ${life}`),
  'server.pem': certificate(`server ${life}`) + key(`secret server ${life}`),
  'peer.pem': certificate(`peer ${life}`) + key(`secret peer ${life}`),
})

let volume: string
beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'karmada-net-pki-'))
})
afterEach(() => rmSync(volume, { recursive: true }))

/** As `docker cp - CONTAINER:/path` does: an entry takes the place of what has its name. */
function arrive(stream: Buffer): void {
  const args = ['-x', '-p', '--no-same-owner', '--unlink-first', '-C', volume]
  execFileSync('tar', args, { input: stream, env, stdio: ['pipe', 'ignore', 'ignore'] })
}
const read = (path: string) => readFileSync(join(volume, path), 'utf8')
const publicStream = () => execFileSync('tar', ['-c', '-h', '-C', join(volume, 'current'), 'public'], { env })

test('etcd finds all files by one path, for its user alone', () => {
  arrive(pkiStream(files('1'), undefined))
  expect(read('current/server.pem')).toBe(files('1')['server.pem'])
  expect(read('current/peer.pem')).toBe(files('1')['peer.pem'])
  expect(read('current/ca.crt')).toBe(files('1')['ca.crt'])
  expect(statSync(join(volume, 'current/peer.pem')).mode & 0o777).toBe(0o600)
  expect(statSync(join(volume, 'a')).mode & 0o777).toBe(0o700)
})

test('new files come beside the old ones, and the old keys go', () => {
  arrive(pkiStream(files('1'), undefined))
  arrive(pkiStream(files('2'), 'a'))
  expect(readlinkSync(join(volume, 'current'))).toBe('b')
  expect(read('current/server.pem')).toBe(files('2')['server.pem'])
  for (const name of ['ca.crt', 'server.pem', 'peer.pem']) expect(read(`a/${name}`)).toBe('')
})

test('cut off anywhere, the certificates in use are complete: the old ones or the new ones', {
  timeout: 60_000,
}, () => {
  arrive(pkiStream(files('1'), undefined))
  const stream = pkiStream(files('2'), 'a')
  const before = volume
  for (let length = 512; length < stream.length; length += 512) {
    volume = join(before, `cut-${length}`)
    for (const part of ['a', 'current'])
      cpSync(join(before, part), join(volume, part), { recursive: true, verbatimSymlinks: true })
    try {
      arrive(stream.subarray(0, length))
    } catch {
      // It says that the stream ends too early.
    }
    const life = readlinkSync(join(volume, 'current')) === 'a' ? '1' : '2'
    for (const name of ['ca.crt', 'server.pem', 'peer.pem'] as const) {
      expect(read(`current/${name}`), `${length} bytes`).toBe(files(life)[name])
      expect(read(`current/public/${name}`), `${length} bytes`).toBe(publicOf(files(life))[name])
    }
  }
  volume = before
})

test.each<[Slot | undefined, Slot]>([
  [undefined, 'a'],
  ['a', 'b'],
  ['b', 'a'],
])('what is read back tells the folder in use (after %s: %s) and holds no key', (before, after) => {
  arrive(pkiStream(files('1'), before))
  const delivered = readDelivered(publicStream())
  expect(delivered).toEqual({ slot: after, files: publicOf(files('1')) })
  expect(JSON.stringify(delivered)).not.toContain('PRIVATE KEY')
})

test('files that are not all there are none', () => {
  const entry = { mode: 0o600, owner: 0 }
  const slot = tarFile({ ...entry, path: 'public/slot' }, 'a')
  expect(readDelivered(Buffer.concat([slot, tarEnd()]))).toBeUndefined()
  expect(readDelivered(Buffer.alloc(0))).toBeUndefined()
})

test('certificates are the same when each file is', () => {
  expect(sameFiles(files('1'), files('1'))).toBe(true)
  expect(sameFiles(files('1'), { ...files('1'), 'peer.pem': 'other' })).toBe(false)
})

test('a stream with the extended headers that Go writes is read', () => {
  execFileSync('sh', ['-c', 'mkdir public && printf text > public/file'], { cwd: volume, env })
  const stream = execFileSync('tar', ['-c', '--format=posix', '--pax-option=comment=x', 'public'], { cwd: volume, env })
  expect([...readTar(stream)]).toEqual([['public/file', 'text']])
})

test('a file of more than 8 GiB has a header that tar reads', () => {
  const header = tarHeader({ path: 'snapshot.db', type: 'file', mode: 0o600, owner: 65532, sizeBytes: 20 * 2 ** 30 })
  const listed = execFileSync('sh', ['-c', 'tar -tv --numeric-owner 2>/dev/null || true'], { input: header, env })
  expect(listed.toString()).toMatch(/^-rw------- 65532\/65532 +21474836480 .* snapshot\.db/)
})

test('a path that a header cannot hold is refused', () => {
  expect(() => tarHeader({ path: 'x'.repeat(101), type: 'file', mode: 0o600, owner: 0 })).toThrow('path too long')
})
