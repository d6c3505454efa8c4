import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { inspectSnapshot, requireGoodSnapshot } from '../../../../src/etcd/snapshot/inspect.ts'
import { realSnapshot, temporaryFolder, withChecksum } from './files.ts'

const members = [{ name: 'm1', peerUrls: ['https://127.41.5.1:2380'] }]

test.each([
  ['300-keys', 301n],
  ['deleted-and-compacted', 602n],
] as const)('%s: what it is of stands in the file itself', async (name, revision) => {
  await using folder = await temporaryFolder()
  await writeFile(folder.path('a.db'), await realSnapshot(name))
  expect(await inspectSnapshot(folder.path('a.db'))).toMatchObject({
    condition: 'good',
    why: '',
    revision,
    version: '3.6.0',
    members,
  })
  expect(await inspectSnapshot(folder.path('a.db'), { checksum: false })).toMatchObject({
    condition: 'unchecked',
    revision,
  })
})

const changed = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

test.each<[string, (whole: Buffer) => Buffer, string, RegExp]>([
  [
    'one bit changed',
    whole => changed(whole, 40_000),
    'damaged',
    /^damaged or tampered with: the checksum of its content is/,
  ],
  ['one bit of the checksum', whole => changed(whole, whole.length - 1), 'damaged', /^damaged or tampered with/],
  ['half of it', whole => whole.subarray(0, 32_768), 'truncated', /^truncated: the last 32 KiB of 64 KiB are missing$/],
  ['cut anywhere', whole => whole.subarray(0, 50_001), 'truncated', /^truncated/],
  ['half of the checksum', whole => whole.subarray(0, -16), 'truncated', /^truncated: the last 16 B/],
  ['no checksum', whole => whole.subarray(0, -32), 'no checksum', /^it has no checksum/],
  [
    'grown in a data directory',
    whole => Buffer.concat([whole.subarray(0, -32), Buffer.alloc(65_536)]),
    'no checksum',
    /data directory/,
  ],
  ['something behind it', whole => Buffer.concat([whole, Buffer.from('x')]), 'damaged', /^damaged: its length/],
  ['a metadata page', whole => changed(changed(whole, 40), 4096 + 40), 'no snapshot', /does not begin as a database/],
  ['another file', () => Buffer.from('kind: EtcdCluster\n'), 'no snapshot', /does not begin as a database/],
  ['an empty file', () => Buffer.alloc(0), 'no snapshot', /does not begin as a database/],
])('%s', async (_, change, condition, why) => {
  await using folder = await temporaryFolder()
  await writeFile(folder.path('a.db'), change(await realSnapshot('300-keys')))
  const facts = await inspectSnapshot(folder.path('a.db'))
  expect(facts).toMatchObject({ condition, why: expect.stringMatching(why) })
  await expect(requireGoodSnapshot(folder.path('a.db'))).rejects.toMatchObject({
    name: 'UserError',
    message: `${folder.path('a.db')}: ${facts.why}`,
  })
})

test('pages of garbage with a right checksum are still a file that tells nothing', async () => {
  await using folder = await temporaryFolder()
  const whole = await realSnapshot('300-keys')
  const garbage = Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 32 - 8192, 0xff)])
  await writeFile(folder.path('a.db'), withChecksum(garbage))
  const facts = await inspectSnapshot(folder.path('a.db'))
  expect(facts.condition).toBe('good')
  expect(facts.revision).toBeUndefined()
})

test('a file that is not there', async () => {
  await expect(inspectSnapshot('/nowhere/a.db')).rejects.toMatchObject({ code: 'ENOENT' })
})
