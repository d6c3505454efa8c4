import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('corrupt')
const { karmadaNet, machines } = etcd
const names = machines.slice(0, 3).map(({ name }) => name)
const [first = ''] = names

const key = '/corrupt/key'
const [asPut, changed] = ['the bytes as they were put', 'the bytes as they were not']

/** Other bytes in the place of some, in the database of a member that runs: etcd maps its file, and so serves them at once. */
async function change(member: string): Promise<void> {
  const volumes = etcd.sandbox.machine(member).path('/var/lib/docker/volumes')
  const [volume = ''] = (await readdir(volumes))
    .filter(each => each.startsWith(`karmada-net-etcd-corrupt-${member}-data-`))
    .toSorted()
    .reverse()
  const path = join(volumes, volume, '_data/data/member/snap/db')
  const content = await readFile(path)
  await using file = await open(path, 'r+')
  let found = 0
  for (let at = content.indexOf(asPut); at >= 0; at = content.indexOf(asPut, at + 1), found++)
    await file.write(changed, at)
  expect(found).toBeGreaterThan(0)
}

/** What this member itself has, asked of nobody else. */
async function valueAt(member: string): Promise<string> {
  const client = etcd.client(member)
  try {
    const { kvs } = await client.range({ key, serializable: true })
    return kvs[0]?.value.toString() ?? ''
  } finally {
    client.close()
  }
}

/** In the database's file, out of the way of what is written next, then changed in one member's alone. */
async function corrupt(member: string): Promise<void> {
  const client = etcd.client(first)
  await client.put(key, asPut)
  for (let index = 0; index < 100; index++) await client.put(`/corrupt/${index}`, 'x'.repeat(200))
  client.close()
  await eventually(30, async () => {
    await change(member)
    expect(await valueAt(member)).toBe(changed)
  })
}

/** As API servers do every 5 minutes. */
async function compact(): Promise<void> {
  const client = etcd.client(first)
  await client.compact((await client.status()).revision)
  client.close()
}

/** `etcd up -f` with these flags of etcd beside its own. */
async function upWith(...extraArgs: string[]): Promise<void> {
  await mkdir(etcd.state, { recursive: true })
  const file = join(etcd.state, 'corrupt.json')
  const members = machines.slice(0, 3).map(({ name, address, docker }) => ({ name, address, docker: { host: docker } }))
  const spec = { tuning: { extraArgs }, members }
  const metadata = { name: etcd.cluster }
  await writeFile(file, JSON.stringify({ apiVersion: 'karmada-net.io/v1alpha1', kind: 'EtcdCluster', metadata, spec }))
  expect(await karmadaNet(`etcd up -f ${file}`)).toSucceed()
}

const others = (member: string) => names.filter(name => name !== member)
const alarmed = async () => expect((await karmadaNet('etcd alarms')).stdout).toMatch(/ CORRUPT /)

beforeEach(() => etcd.clean())
afterAll(() => etcd.clean())

/** Named by what the data are; nobody else is let go. */
async function isNamed(member: string): Promise<void> {
  const [good = ''] = others(member)
  const status = await karmadaNet('etcd status')
  expect(status.stdout).toMatch(new RegExp(`^${member} .* CORRUPT: its data differs$`, 'm'))
  expect(status.stdout.match(/CORRUPT/g)).toHaveLength(1)
  expect(status.stderr).toMatch(/^corrupt: corrupt data: writes are refused, 3 of 3 voters healthy/m)
  expect(status.stderr).toContain(`hint: kubectl karmada-net etcd member replace ${member}\n`)
  const run = await karmadaNet(`etcd member replace ${good}`)
  expect(run).toFailWith(/ (leads, and its data differ|differ from those)/, { hint: `etcd member replace ${member}` })
}

/** For as long as data differ. */
async function allElseIsRefused(member: string): Promise<void> {
  const replace = { hint: `etcd member replace ${member}` }
  const verify = await karmadaNet('etcd verify')
  expect(verify).toFailWith('failed for corrupt')
  expect(verify.stdout).toContain(`${member} differs from ${others(member).join(', ')}`)
  for (const words of ['etcd alarms --disarm --dry-run', 'etcd alarms --disarm'])
    expect(await karmadaNet(words)).toFailWith(`${member} differs from`, replace)
  expect(await karmadaNet('etcd scale 1')).toFailWith(`the data of ${member} differ`, replace)
  for (const words of ['etcd up', 'etcd defrag', 'etcd certs rotate --ca --dry-run'])
    expect(await karmadaNet(words)).toFailWith('a CORRUPT alarm is raised', { hint: 'etcd status names it' })
}

describe.each(['a follower', 'the leader'])('the data of %s change behind its back', role => {
  test('the next compaction tells; it is replaced, writes go on, and none that was acknowledged is lost', async () => {
    await upWith('--compact-hash-check-time=1s')
    const member = role === 'the leader' ? await etcd.leader() : ((await etcd.followers())[0] ?? '')
    await etcd
      .underWrites(async ledger => {
        await corrupt(member)
        await compact()
        await eventually(60, alarmed)
        await isNamed(member)
        if (role === 'a follower') await allElseIsRefused(member)
        const run = await karmadaNet(`etcd member replace ${member}`)
        expect(run).toSucceed()
        expect(run.stderr).toMatch(/✓ Ready, same data everywhere .* CORRUPT disarmed$/m)
        await ledger.nextAck()
      })
      .then(({ lost }) => expect(lost).toEqual([]))
    expect(await valueAt(member)).toBe(asPut)
    expect(await karmadaNet('etcd verify')).toSucceed()
  })
})

test("etcd's own check believes the leader and names another member; the plugin names the right one", async () => {
  await upWith('--corrupt-check-time=1s')
  const leader = await etcd.leader()
  const { lost } = await etcd.underWrites(async ledger => {
    await corrupt(leader)
    await eventually(60, alarmed)
    expect((await karmadaNet('etcd alarms')).stdout).not.toMatch(new RegExp(`^${leader} `, 'm'))
    await isNamed(leader)
    expect(await karmadaNet(`etcd member replace ${leader}`)).toSucceed()
    await ledger.nextAck()
  })
  expect(lost).toEqual([])
  expect(await valueAt(leader)).toBe(asPut)
  expect(await karmadaNet('etcd verify')).toSucceed()
})
