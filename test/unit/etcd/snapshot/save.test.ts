import { readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { UnreachableError } from '../../../../src/etcd/client/errors.ts'
import type { EtcdClient } from '../../../../src/etcd/client/types.ts'
import type { MemberSpec } from '../../../../src/etcd/cluster.ts'
import { listSnapshots, newestSnapshot } from '../../../../src/etcd/snapshot/list.ts'
import { planSnapshot, type SaveOptions, saveSnapshot } from '../../../../src/etcd/snapshot/save.ts'
import type { EtcdWorld } from '../../../../src/etcd/world.ts'
import { realSnapshot, temporaryFolder } from './files.ts'

const endpoint = 'https://10.0.0.1:2379'
const now = Date.parse('2026-11-21T11:23:04Z')

type Stream = (signal?: AbortSignal) => AsyncIterable<Uint8Array>
const whole: Stream = async function* () {
  yield await realSnapshot('300-keys')
}
const breaking: Stream = async function* () {
  yield Buffer.alloc(5000)
  throw new UnreachableError(`${endpoint}: closed`, { endpoint, failure: 'reset' })
}
const tampered: Stream = async function* () {
  const bytes = await realSnapshot('300-keys')
  bytes[30_000] = 1
  yield bytes
}

/** Three members of which the first leads; each gives what the test says. */
function worldOf(streams: Stream[], signal = new AbortController().signal): EtcdWorld {
  const members = streams.map((_, index): MemberSpec => {
    const name = `m${index + 1}`
    return { name, address: name, site: name, driver: { kind: 'docker' } }
  })
  const list = members.map(({ name }, index) => ({
    id: BigInt(index + 1),
    name,
    peerUrls: [],
    clientUrls: [],
    isLearner: false,
  }))
  const clientOf = ({ name }: MemberSpec) => {
    const id = BigInt(name.slice(1))
    const client: Partial<EtcdClient> = {
      status: async () => ({
        ...{ id, version: '3.6.16', storageVersion: '3.6.0', leader: 1n, isLearner: false, raftAppliedIndex: 9n },
        ...{ dbSize: 65_536, dbSizeInUse: 0, dbSizeQuota: 0, raftIndex: 9n, raftTerm: 2n, revision: 301n, errors: [] },
      }),
      members: async () => list,
      readiness: async () => ({ ready: true, failed: [] }),
      snapshot: limits => streams[Number(id) - 1]?.(limits?.signal) ?? whole(),
    }
    return client as EtcdClient
  }
  const spec = { name: 'karmada', members, ports: { client: 2379, peer: 2380, metrics: 2381 } }
  return { state: { spec }, clientOf, signal, timeoutMs: 5000, now: () => now } as unknown as EtcdWorld
}
const save = (world: EtcdWorld, target: SaveOptions['target'], more: Partial<SaveOptions> = {}) =>
  saveSnapshot(world, { target, ...more })
const ours = 'karmada-301-20261121T112304Z.db'

test('into a folder, which it makes: named after cluster, revision and time', async () => {
  await using folder = await temporaryFolder()
  const saved = await save(worldOf([breaking, whole]), { directory: folder.path('new') })
  expect(saved).toMatchObject({ member: 'm2', removed: [], facts: { condition: 'good', revision: 301n } })
  expect(await readdir(folder.path('new'))).toEqual([ours])
  expect((await stat(folder.path(`new/${ours}`))).mode & 0o777).toBe(0o600)
  expect(await newestSnapshot(folder.path('new'), 'karmada')).toEqual(new Date(now))
  expect(await newestSnapshot(folder.path('nowhere'), 'karmada')).toBeUndefined()
})

test('a member that fails in the middle is followed by the next; so is one that sends damaged bytes', async () => {
  await using folder = await temporaryFolder()
  const said: string[] = []
  const saved = await save(
    worldOf([whole, breaking, tampered]),
    { file: folder.path('a.db'), overwrite: false },
    { progress: text => said.push(text) },
  )
  expect(saved.member).toBe('m1')
  expect(said.filter(text => text.includes('going on with'))).toHaveLength(2)
  expect(await readdir(folder.folder)).toEqual(['a.db'])
})

test('where nobody gives a whole one, nothing is left behind and the older one stays', async () => {
  await using folder = await temporaryFolder()
  await writeFile(folder.path('a.db'), 'older')
  const target = { file: folder.path('a.db'), overwrite: true }
  await expect(save(worldOf([tampered]), target)).rejects.toThrow('its checksum does not fit')
  expect(await readdir(folder.folder)).toEqual(['a.db'])
  expect((await stat(folder.path('a.db'))).size).toBe(5)
})

test('Ctrl-C leaves nothing behind', async () => {
  await using folder = await temporaryFolder()
  const controller = new AbortController()
  const endless: Stream = async function* (signal) {
    yield Buffer.alloc(100_000)
    controller.abort(new Error('Ctrl-C'))
    signal?.throwIfAborted()
  }
  await expect(save(worldOf([endless], controller.signal), { directory: folder.folder })).rejects.toThrow('Ctrl-C')
  expect(await readdir(folder.folder)).toEqual([])
})

test('a file that is there is replaced only when that was asked for', async () => {
  await using folder = await temporaryFolder()
  await writeFile(folder.path('a.db'), 'older')
  const file = folder.path('a.db')
  await expect(save(worldOf([whole]), { file, overwrite: false })).rejects.toMatchObject({
    message: `${file} exists already`,
    hint: expect.stringContaining(folder.folder),
  })
  await save(worldOf([whole]), { file, overwrite: true })
  expect((await stat(file)).size).toBe(65_568)
  await expect(save(worldOf([whole]), { file: '/nowhere/a.db', overwrite: false })).rejects.toThrow(
    'there is no folder',
  )
})

test('old ones go once the new one is there; what is not ours stays, and so does what is still being written', async () => {
  await using folder = await temporaryFolder()
  const names = [
    'karmada-1-20261101T000000Z.db',
    'karmada-2-20261102T000000Z.db',
    'other-1-20261101T000000Z.db',
    'notes.txt',
  ]
  for (const name of names) await writeFile(folder.path(name), '')
  for (const name of ['.karmada.1.part', '.karmada.2.part', '.other.3.part']) await writeFile(folder.path(name), '')
  for (const name of ['.karmada.1.part', '.other.3.part'])
    await utimes(folder.path(name), now / 1000 - 3600, now / 1000 - 3600)
  await utimes(folder.path('.karmada.2.part'), now / 1000 - 60, now / 1000 - 60)
  const saved = await save(worldOf([whole]), { directory: folder.folder, keep: 2 })
  expect(saved.removed).toEqual(['karmada-1-20261101T000000Z.db'])
  expect((await readdir(folder.folder)).toSorted()).toEqual(
    [
      '.karmada.2.part',
      '.other.3.part',
      ours,
      'karmada-2-20261102T000000Z.db',
      'notes.txt',
      'other-1-20261101T000000Z.db',
    ].toSorted(),
  )
})

test('after the clock was set back the new one is not taken for the oldest', async () => {
  await using folder = await temporaryFolder()
  for (const name of ['karmada-1-20991101T000000Z.db', 'karmada-2-20991102T000000Z.db']) {
    await writeFile(folder.path(name), '')
  }
  const saved = await save(worldOf([whole]), { directory: folder.folder, keep: 2 })
  expect(saved.removed).toEqual(['karmada-1-20991101T000000Z.db'])
  expect(await readdir(folder.folder)).toContain(ours)
})

test('nothing is removed for a snapshot that fails', async () => {
  await using folder = await temporaryFolder()
  const before = ['karmada-1-20261101T000000Z.db', 'karmada-2-20261102T000000Z.db']
  for (const name of before) await writeFile(folder.path(name), '')
  await expect(save(worldOf([breaking]), { directory: folder.folder, keep: 1 })).rejects.toMatchObject({
    message: expect.stringContaining('m1 did not give the whole snapshot, and nothing of it is kept'),
    hint: expect.stringContaining('the same command again'),
  })
  expect((await readdir(folder.folder)).toSorted()).toEqual(before)
})

test('what would be done, and nothing is: no folder is made either', async () => {
  await using folder = await temporaryFolder()
  const directory = folder.path('new')
  const plan = (target: SaveOptions['target']) => planSnapshot(worldOf([whole, whole]), { target })
  expect(await plan({ directory, keep: 2 })).toEqual([
    `${directory}/karmada-REVISION-DATE.db: the database of m2, 64 KiB`,
  ])
  for (const name of [
    'karmada-1-20261101T000000Z.db',
    'karmada-2-20261102T000000Z.db',
    'other-1-20261101T000000Z.db',
  ]) {
    await writeFile(folder.path(name), '')
  }
  expect((await plan({ directory: folder.folder, keep: 2 })).slice(1)).toEqual([
    'Remove karmada-1-20261101T000000Z.db, once the new one is checked',
  ])
  expect(await readdir(folder.folder)).toHaveLength(3)
})

test('the list: newest first, damaged ones said so, other files left out', async () => {
  await using folder = await temporaryFolder()
  const bytes = await realSnapshot('300-keys')
  await writeFile(folder.path('karmada-301-20261120T000000Z.db'), bytes)
  await writeFile(folder.path('karmada-301-20261121T000000Z.db'), bytes.subarray(0, 40_000))
  await writeFile(folder.path('notes.txt'), 'hello')
  await writeFile(folder.path('.karmada.7.part'), bytes)
  const found = (checksum: boolean) => listSnapshots(folder.folder, { checksum })
  expect((await found(true)).map(({ file, cluster, condition }) => [file, cluster, condition])).toEqual([
    ['karmada-301-20261121T000000Z.db', 'karmada', 'truncated'],
    ['karmada-301-20261120T000000Z.db', 'karmada', 'good'],
  ])
  expect((await found(false)).map(({ condition }) => condition)).toEqual(['truncated', 'unchecked'])
})
