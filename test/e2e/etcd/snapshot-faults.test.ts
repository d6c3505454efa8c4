import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { inspectSnapshot } from '../../../src/etcd/snapshot/inspect.ts'
import { eventually } from '../plugin.ts'
import { sentence } from './ledger.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('saving')
const { karmadaNet } = etcd
const folder = await mkdtemp(join(tmpdir(), 'karmada-net-saving-'))
const mebibyte = 2 ** 20
const databaseMebibytes = 320
/** When something happens to a member: enough has come for it to be the middle, and the end is far. */
const middleBytes = 24 * mebibyte

beforeAll(async () => {
  await etcd.clean()
  await etcd.up()
  const client = etcd.client(await etcd.leader())
  const value = Buffer.alloc(mebibyte, 'x').toString()
  for (let number = 0; number < databaseMebibytes; number++) await client.put(`/large/${number}`, value)
  client.close()
})
beforeEach(async () => {
  for (const { name } of etcd.machines) await etcd.mend(name)
  await eventually(60, async () => expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy'))
  for (const name of await readdir(folder)) await rm(join(folder, name))
})
afterAll(async () => {
  await etcd.clean()
  await rm(folder, { recursive: true })
})

const complete = async () => (await readdir(folder)).filter(name => name.endsWith('.db'))

/** Resolves in the middle of a save. */
async function inTheMiddle(): Promise<void> {
  const end = performance.now() + 60_000
  for (;;) {
    const part = (await readdir(folder)).find(name => name.endsWith('.part'))
    const size =
      part === undefined
        ? 0
        : await stat(join(folder, part)).then(
            ({ size }) => size,
            () => 0,
          )
    if (size > middleBytes) return
    if (performance.now() > end) throw new Error('no snapshot was begun in 60 s')
    await sleep(5)
  }
}

async function saveWhile(words: string, act: () => Promise<void>) {
  const saving = karmadaNet(`etcd snapshot save --directory ${folder} ${words}`.trim())
  await inTheMiddle()
  await act()
  expect(await complete()).toEqual([])
  return saving
}

async function onlyGood(): Promise<string> {
  const [file = '', ...others] = await complete()
  expect(others).toEqual([])
  expect(await readdir(folder)).toEqual([file])
  expect(await karmadaNet(`etcd snapshot status ${join(folder, file)}`)).toSucceed()
  return join(folder, file)
}

test('the leader is killed while a follower gives the snapshot: it is whole, and restored it is what was acknowledged until then', async () => {
  await using ledger = await etcd.write({ putsPerSecond: 200 })
  await ledger.nextAck()
  const leader = await etcd.leader()
  const run = await saveWhile('', () => etcd.kill(leader))
  expect(run).toSucceed()
  await ledger.nextAck()
  const file = await onlyGood()
  const report = await ledger.report()
  stderr.write(`  ${sentence(report)}\n`)
  expect(report.lost).toEqual([])
  const { revision = 0n } = await inspectSnapshot(file)
  expect(await karmadaNet(`etcd snapshot restore ${file} --yes`)).toSucceed()
  const restored = await ledger.report({ upTo: revision })
  stderr.write(`  up to revision ${revision}: ${sentence(restored)}\n`)
  expect(restored.lost).toEqual([])
})

test('the leader is killed while it gives the snapshot itself: a clear line, nothing that looks complete, and the same command again does it', async () => {
  const { lost } = await etcd.underWrites(
    async ledger => {
      const leader = await etcd.leader()
      const run = await saveWhile(`--member ${leader}`, () => etcd.kill(leader))
      expect(run).toFailWith(leader)
      expect(run.stderr).not.toMatch(/^ +at /m)
      expect(await readdir(folder)).toEqual([])
      await ledger.nextAck()
      await eventually(60, async () =>
        expect(await karmadaNet(`etcd snapshot save --directory ${folder} --member ${leader}`)).toSucceed(),
      )
      await onlyGood()
    },
    { putsPerSecond: 200 },
  )
  expect(lost).toEqual([])
})

test('the follower that gives it is killed, and the other answers nobody: it goes on from the leader', async () => {
  const { lost } = await etcd.underWrites(
    async ledger => {
      const [paused = '', giving = ''] = await etcd.followers()
      const leader = await etcd.leader()
      await etcd.pause(paused)
      const run = await saveWhile('', () => etcd.kill(giving))
      expect(run).toSucceed()
      expect(run.stderr + run.stdout).toContain(`from ${leader}`)
      await onlyGood()
      await etcd.resume(paused)
      await ledger.nextAck()
    },
    { putsPerSecond: 200 },
  )
  expect(lost).toEqual([])
})
