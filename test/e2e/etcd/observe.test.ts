import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { prefixEnd } from '../../../src/etcd/client/prefix.ts'
import type { EtcdClient } from '../../../src/etcd/client/types.ts'
import type { RunResult } from '../../setup/run.ts'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('observe')
const { karmadaNet, machines } = etcd
const names = machines.slice(0, 3).map(({ name }) => name)
const [first = ''] = names

/** Other bytes in the place of some, wherever they are in the database of a member that is stopped. */
async function tamper(member: string, before: string, after: string): Promise<void> {
  const volumes = etcd.sandbox.machine(member).path('/var/lib/docker/volumes')
  const name = (await readdir(volumes)).find(each => each.startsWith(`karmada-net-etcd-observe-${member}-data-`)) ?? ''
  const file = join(volumes, name, '_data/data/member/snap/db')
  const content = await readFile(file)
  const places: number[] = []
  // Pages that are not in use any more may have it as well.
  for (let at = content.indexOf(before); at >= 0; at = content.indexOf(before, at + 1)) places.push(at)
  expect(places).not.toEqual([])
  for (const at of places) content.write(after, at)
  await writeFile(file, content)
}

/** A database that is full after 32 MiB. */
async function upWithSmallQuota(): Promise<RunResult> {
  await mkdir(etcd.state, { recursive: true })
  const file = join(etcd.state, 'small.json')
  const members = machines.slice(0, 3).map(({ name, address, docker }) => ({ name, address, docker: { host: docker } }))
  const spec = { tuning: { quota: '32Mi' }, members }
  const metadata = { name: etcd.cluster }
  await writeFile(file, JSON.stringify({ apiVersion: 'karmada-net.io/v1alpha1', kind: 'EtcdCluster', metadata, spec }))
  return karmadaNet(`etcd up -f ${file}`)
}

async function withClient<T>(work: (client: EtcdClient) => Promise<T>, member = first): Promise<T> {
  const client = etcd.client(member)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

const lines = ({ stdout }: RunResult) => stdout.trimEnd().split('\n')
const row = (run: RunResult, member: string) => lines(run).find(line => line.startsWith(`${member} `)) ?? ''
const saysWell = () =>
  eventually(60, async () => expect((await karmadaNet('etcd status')).stderr).toMatch(/3 of 3 voters healthy/))

beforeAll(async () => {
  await etcd.clean()
  expect(await upWithSmallQuota()).toSucceed()
})
afterEach(async () => {
  for (const name of names) await etcd.mend(name)
})
afterAll(() => etcd.clean())

describe('a cluster that is well', () => {
  test('status: a line for each member, no wider than 100 columns', async () => {
    const run = await karmadaNet('etcd status')
    expect(run).toSucceed()
    const [header = '', ...members] = lines(run)
    expect(header).toMatch(/^MEMBER +ROLE +VERSION +DB +LAG +LATENCY +CERT +NOTE$/)
    expect(members.map(line => line.split(/ {2,}/)[0])).toEqual(names)
    expect(members.filter(line => / leader /.test(line))).toHaveLength(1)
    for (const line of members) expect(line).toMatch(/ 3\.6\.\d+ .* of 32 MiB +\d+ +[\d.]+ms +36\dd$/)
    for (const line of lines(run)) expect(line.length).toBeLessThanOrEqual(100)
    expect(run.stderr).toMatch(new RegExp(`^observe: 3 of 3 voters healthy, leader ${await etcd.leader()}, etcd 3`))
    expect(run.stderr).not.toContain('hint:')
  })

  test('status for programs', async () => {
    const json = JSON.parse((await karmadaNet('etcd status -o json')).stdout)
    expect(json).toMatchObject({ cluster: 'observe', hasQuorum: true, voters: 3, healthyVoters: 3 })
    expect(json.items).toHaveLength(3)
    expect(json.items[0]).toMatchObject({ member: first, alarms: [], notes: [], dbSizeQuota: 32 * 2 ** 20 })
    expect((await karmadaNet('etcd status -o name')).stdout).toBe(names.map(name => `etcdmember/${name}\n`).join(''))
    expect((await karmadaNet('etcd status -o wide')).stdout).toMatch(/^MEMBER +ID +ADDRESS +SITE +ROLE .* IN USE +TERM/)
  })

  test('verify: all of it, in milliseconds, and nothing stays behind', async () => {
    const before = await withClient(client => client.range({ key: '\0', rangeEnd: '\0', countOnly: true }))
    const run = await karmadaNet('etcd verify')
    expect(run).toSucceed()
    for (const name of [etcd.cluster, ...names]) expect(lines(run)).toContain(name)
    const passed = (title: string) => lines(run).filter(line => line.startsWith(` ✓ ${title}`))
    expect(passed('the same data on all members')[0]).toMatch(/same hash at revision \d+, [\d.]+ ms$/)
    expect(passed('client port refuses strangers')).toHaveLength(3)
    for (const line of [...passed('client port'), ...passed('peer port')])
      expect(line).toMatch(/none: certificate required; foreign: unknown ca$/)
    for (const line of passed('a write, and')) expect(line).toMatch(/write [\d.]+ ms, read [\d.]+ ms$/)
    expect(passed('a write, and')).toHaveLength(3)
    const after = await withClient(client => client.range({ key: '\0', rangeEnd: '\0', countOnly: true }))
    expect(after.count).toBe(before.count)
  })

  test('verify of one member, for programs', async () => {
    const { groups, errors } = JSON.parse((await karmadaNet(`etcd verify ${first} -o json`)).stdout)
    expect(errors).toBe(0)
    expect(groups.map(({ title }: { title: string }) => title)).toEqual([first])
    expect(await karmadaNet('etcd verify etcd11')).toFailWith('has no member "etcd11"', { hint: 'did you mean etcd1?' })
  })

  test('no alarms, and nothing to defragment', async () => {
    const alarms = await karmadaNet('etcd alarms')
    expect(alarms).toSucceed()
    expect(alarms.stderr).toContain('No alarms in observe')
    for (const words of ['etcd alarms --disarm', 'etcd defrag']) {
      const run = await karmadaNet(words)
      expect(run).toSucceed()
      expect(run.stderr).toContain('Nothing to do: no ')
    }
  })
})

describe('one member that does not answer', () => {
  test('stopped: its line says so, the others are as ever; verify fails for it alone; defrag is refused', async () => {
    const [member = ''] = await etcd.followers()
    await etcd.stop(member)
    const status = await karmadaNet('etcd status')
    expect(status).toSucceed()
    expect(row(status, member)).toMatch(/ down +- .* stopped/)
    expect(status.stderr).toMatch(/2 of 3 voters healthy/)
    expect(status.stderr).toContain(`hint: kubectl karmada-net etcd up starts it again`)
    const verify = await karmadaNet('etcd verify')
    expect(verify).toFailWith(`failed for observe, ${member}`)
    expect(verify.stdout).toMatch(/ - the same data on all members +not tried/)
    expect(await karmadaNet('etcd defrag')).toFailWith(`not now: ${member} does not answer`, { hint: 'etcd status' })
    expect(await karmadaNet('etcd up')).toSucceed()
    await saysWell()
  })

  test('paused: it costs its own line, not the others', async () => {
    const [member = ''] = await etcd.followers()
    await etcd.pause(member)
    const run = await karmadaNet('etcd status')
    expect(run).toSucceed()
    expect(row(run, member)).toMatch(/ down +- .* no answer in time$/)
    expect(lines(run).filter(line => / (leader|follower) /.test(line))).toHaveLength(2)
    await etcd.resume(member)
    await saysWell()
  })

  test('two of them: no quorum, and keys can be looked at all the same', async () => {
    const [one = '', other = ''] = await etcd.followers()
    await etcd.pause(one)
    await etcd.pause(other)
    await eventually(30, async () => {
      const { stderr } = await karmadaNet('etcd status')
      expect(stderr).toMatch(/^observe: no quorum: 0 of 3 voters healthy, writes are refused/)
      expect(stderr).toMatch(/^hint: start .*2 must answer; .* etcd recover --from \S+ --dry-run$/m)
    })
    expect(await karmadaNet('etcd keys')).toSucceed()
    await etcd.resume(one)
    await etcd.resume(other)
    await saysWell()
  })
})

test('data changed behind its back: it does not start, status says why, replacing it heals', async () => {
  const [member = ''] = await etcd.followers()
  await withClient(client => client.put('/tamper', 'as it was put'))
  // etcd has it in its file by then.
  await etcd.stop(member)
  await tamper(member, 'as it was put', 'as it was not')
  await etcd.docker(member, 'start', `karmada-net-etcd-observe-${member}`)
  await eventually(60, async () => {
    const run = await karmadaNet('etcd status')
    expect(row(run, member)).toMatch(/ down +- .* stopped: found data inconsistency with peers$/)
    expect(run.stderr).toContain(`hint: kubectl karmada-net etcd member replace ${member}`)
  })
  const verify = await karmadaNet(`etcd verify ${member}`)
  expect(verify).toFailWith(`failed for ${member}`)
  expect(verify.stdout).toMatch(/found data inconsistency with peers\n +hint: .* etcd member replace/)
  expect(await karmadaNet(`etcd member replace ${member}`)).toSucceed()
  expect(await karmadaNet('etcd verify')).toSucceed()
})

describe('keys', () => {
  const karmada = (root: string) => [
    `${root}/namespaces/default`,
    `${root}/namespaces/kube-system`,
    `${root}/masterleases/10.0.0.1`,
    `${root}/apiextensions.k8s.io/customresourcedefinitions/resourcebindings.work.karmada.io`,
    `${root}/cluster.karmada.io/clusters/member1`,
    `${root}/configmaps/karmada-system/one`,
  ]

  test('who stores what, over many pages', async () => {
    await withClient(async client => {
      for (const key of [...karmada('/registry/a'), ...karmada('/b'), 'compact_rev_key']) await client.put(key, 'value')
      const many = Array.from({ length: 1100 }, (_, index) => `/b/configmaps/ns${index % 7}/c${index}`)
      const put = async () => {
        for (let key = many.pop(); key; key = many.pop()) await client.put(key, 'x'.repeat(100))
      }
      await Promise.all(Array.from({ length: 32 }, put))
    })
    const run = await karmadaNet('etcd keys')
    expect(run).toSucceed()
    expect(run.stdout).toMatch(/^PREFIX +KEYS +SIZE +OWNER$/m)
    expect(run.stdout).toMatch(/^\/b +1106 +~\S+ KiB +Karmada, 1 member, 1 API server$/m)
    expect(run.stdout).toMatch(/^\/registry\/a +6 +\d+ B +Karmada, 1 member, 1 API server$/m)
    expect(run.stdout).toMatch(/^compact_rev_key +1 +20 B +all API servers/m)
    const below = await karmadaNet('etcd keys /b')
    expect(below.stdout).toMatch(/^\/b\/configmaps +1101 /m)
    expect((await karmadaNet('etcd keys /b/configmaps/')).stdout).toMatch(/^\/b\/configmaps\/ns0 +158 /m)
    expect((await karmadaNet('etcd keys /b/conf')).stderr).toContain('No keys below /b/conf')
  })

  test.each([
    ['/c', undefined],
    ['/registry', /is in use: 6 keys, such as \/registry\/a\//],
    ['/registry/a/', /is in use: 6 keys/],
    ['/b/below', /lies in \/b, which an API server uses/],
    ['b', /is no prefix for an API server/],
  ])('may a new control plane have %s?', async (prefix, why) => {
    const run = await karmadaNet(`etcd keys --check-prefix ${prefix}`)
    if (why === undefined) expect(run).toSucceed()
    else expect(run).toFailWith(why, { hint: /./ })
  })
})

describe('space', () => {
  const junk = '/junk/'
  const value = 'z'.repeat(200_000)
  const fill = () =>
    withClient(async client => {
      for (let index = 0; index < 1000; index++) {
        const full = await client.put(`${junk}${index % 40}`, value).then(
          () => undefined,
          (error: Error) => error,
        )
        if (full) return full.message
      }
      return 'never full'
    })

  test('full: status, alarms and verify say so; disarmed after Ctrl-C and once more; nothing acknowledged is lost', async () => {
    const { lost } = await etcd.underWrites(
      async ledger => {
        expect(await fill()).toContain('database space exceeded')
        const status = await karmadaNet('etcd status')
        expect(status.stdout).toContain('NOSPACE: writes refused')
        expect(status.stderr).toContain('observe: database full: writes are refused')
        expect(status.stderr).toContain('hint: kubectl karmada-net etcd alarms --disarm')
        expect((await karmadaNet('etcd alarms')).stdout).toMatch(/^etcd\d +NOSPACE +its database reached the quota/m)
        const verify = await karmadaNet(`etcd verify`)
        expect(verify).toFailWith('failed for observe, etcd1, etcd2, etcd3')
        expect(verify.stdout).toMatch(/✗ a write.* database space exceeded/)

        const cut = await etcd.runUntil('etcd alarms --disarm', /✓ Compact/, ({ pid }) => process.kill(pid, 'SIGINT'))
        expect(cut.code).toBe(130)
        expect(cut.stderr).toContain('Run the same command again to go on')
        const run = await karmadaNet('etcd alarms --disarm')
        expect(run).toSucceed()
        expect(run.stderr).toMatch(/✓ Disarm NOSPACE/)
        expect(run.stderr).toContain('The cluster takes writes again.')
        await ledger.nextAck()
      },
      { putsPerSecond: 50 },
    )
    expect(lost).toEqual([])
    expect((await karmadaNet('etcd alarms')).stderr).toContain('No alarms in observe')
    const { count } = await withClient(client =>
      client.range({ key: junk, rangeEnd: prefixEnd(junk), countOnly: true }),
    )
    expect(count).toBe(40)
  })

  /** Leaves free pages in every database; members compact in their own time, and count free pages when they write. */
  const makeHoles = async () => {
    await withClient(async client => {
      for (let index = 0; index < 60; index++) await client.put(`${junk}${index % 20}`, value)
      await client.deleteRange(junk, String(prefixEnd(junk)))
      await client.compact((await client.status()).revision)
    })
    for (const name of names)
      await eventually(30, async () => {
        const { dbSize, dbSizeInUse } = await withClient(async client => {
          await client.put('/nudge', '')
          return client.status()
        }, name)
        expect(dbSize - dbSizeInUse).toBeGreaterThan(3 * 2 ** 20)
      })
  }

  test('defrag: followers first, the leader last, bytes won; the second time there is nothing to do', async () => {
    await makeHoles()
    const leader = await etcd.leader()
    const { lost } = await etcd.underWrites(async () => {
      const run = await karmadaNet('etcd defrag')
      expect(run).toSucceed()
      const done = [...run.stderr.matchAll(/✓ Defragment (\S+) .* [\d.]+ MiB won, /g)].map(([, name]) => name)
      expect(done).toHaveLength(3)
      expect(done.at(-1)).toBe(leader)
    })
    expect(lost).toEqual([])
    expect((await karmadaNet('etcd defrag')).stderr).toContain('Nothing to do')
  })

  test('the leader is killed meanwhile: nothing acknowledged is lost, and the same command ends it', async () => {
    await makeHoles()
    const { lost } = await etcd.underWrites(async ledger => {
      const leader = await etcd.leader()
      await etcd.runUntil('etcd defrag', /✓ Defragment/, () => etcd.kill(leader))
      await ledger.nextAck(60)
      await saysWell()
      expect(await karmadaNet('etcd defrag')).toSucceed()
    })
    expect(lost).toEqual([])
    await saysWell()
  })
})
