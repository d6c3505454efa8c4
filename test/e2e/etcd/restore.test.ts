import { randomBytes } from 'node:crypto'
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { inspectSnapshot } from '../../../src/etcd/snapshot/inspect.ts'
import { eventually } from '../plugin.ts'
import { sentence } from './ledger.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('restore')
const { karmadaNet, machines } = etcd
const names = machines.slice(0, 3).map(({ name }) => name)
const file = join(tmpdir(), `restore-${randomBytes(4).toString('hex')}.db`)

const saysWell = () =>
  eventually(60, async () => expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy'))

/** Three members that are well, whatever the test before left behind. */
beforeEach(async () => {
  await rm(file, { force: true })
  if ((await karmadaNet('etcd status')).stderr.includes('3 of 3 voters healthy')) return
  await etcd.clean()
  await etcd.up()
})
afterAll(async () => {
  await rm(file, { force: true })
  await etcd.clean()
})

async function on<T>(member: string, ask: (client: ReturnType<typeof etcd.client>) => Promise<T>): Promise<T> {
  const client = etcd.client(member)
  try {
    return await ask(client)
  } finally {
    client.close()
  }
}
const put = async (key: string, value: string) => on(await etcd.leader(), client => client.put(key, value))
const read = (member: string, key: string) =>
  on(member, async client => (await client.range({ key })).kvs[0]?.value.toString())
const save = async () => expect(await karmadaNet(`etcd snapshot save ${file}`)).toSucceed()

describe('restore', () => {
  test('every key up to the snapshot is back, on all members, at a revision that nobody has seen', async () => {
    await using ledger = await etcd.write()
    await ledger.nextAck()
    await save()
    await ledger.nextAck()
    await ledger.stop()
    const last = await put('/after', 'the snapshot')
    const { revision = 0n } = await inspectSnapshot(file)
    const run = await karmadaNet(`etcd snapshot restore ${file} --yes`)
    expect(run).toSucceed()
    expect(run.stderr).toMatch(/kubectl -n karmada-system rollout restart deployment karmada-apiserver/)
    const report = await ledger.report({ upTo: revision })
    stderr.write(`  up to revision ${revision}: ${sentence(report)}\n`)
    expect(report.lost).toEqual([])
    for (const name of names) {
      expect(await read(name, '/after')).toBeUndefined()
      expect((await on(name, client => client.status())).revision).toBeGreaterThan(last)
    }
    await saysWell()
  })

  test('the same one again: revisions rise again', async () => {
    await put('/a', '1')
    await save()
    expect(await karmadaNet(`etcd snapshot restore ${file} --yes`)).toSucceed()
    const last = await put('/a', '2')
    expect(await karmadaNet(`etcd snapshot restore ${file} --yes`)).toSucceed()
    const [first = ''] = names
    expect(await read(first, '/a')).toBe('1')
    expect((await on(first, client => client.status())).revision).toBeGreaterThan(last)
  })

  test('refused before anything is stopped: not confirmed, cut off, tampered with', async () => {
    await put('/a', '1')
    await save()
    const started = await startedAt()
    expect(await karmadaNet(`etcd snapshot restore ${file}`)).toFailWith('there is no terminal to confirm it', {
      hint: '--yes',
    })
    const whole = await readFile(file)
    await truncate(file, whole.length - 5000)
    expect(await karmadaNet(`etcd snapshot restore ${file} --yes`)).toFailWith('truncated')
    const changed = Buffer.from(whole)
    changed[whole.length - 4096] = (changed[whole.length - 4096] ?? 0) ^ 1
    await writeFile(file, changed)
    expect(await karmadaNet(`etcd snapshot restore ${file} --yes`)).toFailWith('damaged or tampered with')
    const handle = await open(file, 'w')
    await handle.close()
    expect(await karmadaNet(`etcd snapshot restore ${file} --yes`)).toFailWith('does not begin as a database')
    expect(await karmadaNet(`etcd snapshot restore ${file}.none --yes`)).toFailWith('no such file')
    expect(await startedAt()).toEqual(started)
  })

  test.each([
    ['SIGINT', 'All members stopped'],
    ['SIGINT', 'Snapshot restored'],
    ['SIGKILL', 'Snapshot restored'],
    ['SIGINT', 'Started as a new cluster'],
  ])('cut off by %s after "%s", the same command does it', async (signal, step) => {
    await put('/a', '1')
    await save()
    await put('/a', '2')
    const words = `etcd snapshot restore ${file} --yes`
    const done = new RegExp(`✓ ${step}`)
    const run = await etcd.runUntil(words, done, ({ pid }) => process.kill(pid, signal as NodeJS.Signals))
    expect(run.code).not.toBe(0)
    expect(await karmadaNet(words)).toSucceed()
    for (const name of names) expect(await read(name, '/a')).toBe('1')
    await saysWell()
  })
})

const startedAt = () =>
  Promise.all(
    names.map(name => etcd.docker(name, 'inspect', '-f', '{{.State.StartedAt}}', `karmada-net-etcd-restore-${name}`)),
  )

describe('recover', () => {
  const [survivor = '', ...others] = names
  const recover = (more = '') => karmadaNet(`etcd recover --from ${survivor} --out ${file} --yes ${more}`.trim())

  test('with a quorum there is nothing to recover', async () => {
    expect(await recover()).toFailWith('there is nothing to recover', { hint: 'etcd member replace' })
  })

  test('members that are only stopped are started instead', async () => {
    for (const name of others) await etcd.stop(name)
    expect(await recover()).toFailWith('enough for a quorum', { hint: 'etcd up' })
    expect(await karmadaNet('etcd up')).toSucceed()
  })

  test('two of three are lost: what the third has is served by three again', async () => {
    const last = await put('/a', 'kept')
    await eventually(10, async () => expect(await read(survivor, '/a')).toBe('kept'))
    for (const name of others) await etcd.wipe(name)
    expect(await recover('--force --dry-run')).toSucceed()
    expect(await recover('--force')).toSucceed()
    for (const name of names) {
      expect(await read(name, '/a')).toBe('kept')
      expect((await on(name, client => client.status())).revision).toBeGreaterThan(last)
    }
    await saysWell()
    expect((await inspectSnapshot(file)).condition).toBe('good')
  })

  test('the one that is left was restarted, and answers nobody', async () => {
    await put('/a', 'kept')
    await eventually(10, async () => expect(await read(survivor, '/a')).toBe('kept'))
    for (const name of others) await etcd.wipe(name)
    await etcd.kill(survivor)
    expect(await recover('--force')).toSucceed()
    for (const name of names) expect(await read(name, '/a')).toBe('kept')
    await saysWell()
  })
})
