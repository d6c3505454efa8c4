import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toInventory } from '../../../src/etcd/inventory/document.ts'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('upgrade')
const { karmadaNet, runUntil } = etcd
const members = etcd.machines.slice(0, 3).map(({ name }) => name)
const [old, target] = ['3.5.33', '3.6.16']

beforeEach(async () => {
  await etcd.clean()
  await etcd.up(3, `--version ${old}`)
})
afterEach(async () => {
  for (const name of members) await etcd.mend(name)
})
afterAll(() => etcd.clean())

/** What each member says it runs. */
const versions = () =>
  Promise.all(
    members.map(async member => {
      const client = etcd.client(member)
      try {
        return (await client.versions()).server
      } catch {
        return 'down'
      } finally {
        client.close()
      }
    }),
  )

/** As the user's own, in the inventory. */
async function giveFlags(...extraArgs: string[]): Promise<void> {
  const spec = await etcd.spec()
  const file = join(etcd.state, 'cluster.yaml')
  await writeFile(file, toInventory({ ...spec, tuning: { ...spec.tuning, extraArgs } }))
  expect(await karmadaNet(`etcd up -f ${file}`)).toSucceed()
}

const snapshots = () => readdir(join(etcd.state, 'snapshots', 'upgrade')).catch(() => [])

/** Cut off as soon as one member runs the new version. */
const cutOff = (words: string) =>
  runUntil(words, /✓ Snapshot/, async ({ pid }) => {
    await eventually(60, async () => expect(await versions()).toContain(target))
    process.kill(pid, 'SIGINT')
  })

describe(`from ${old} to ${target}`, () => {
  test('under 400 puts a second nothing is lost; then there is no way back by binary', async () => {
    await giveFlags('--experimental-compact-hash-check-enabled=true', '--experimental-compaction-batch-limit=500')
    const leader = await etcd.leader()
    const { lost } = await etcd.underWrites(async () => {
      const run = await karmadaNet(`etcd upgrade ${target}`)
      expect(run).toSucceed()
      expect(run.stderr).toMatch(new RegExp(`✓ Members, one by one .* ${leader}$`, 'm'))
      expect(run.stderr).toContain('-enabled=true becomes --feature-gates=CompactHashCheck=true')
      expect(run.stderr).toContain('An older minor does not start on its data any more')
    })
    expect(lost).toEqual([])
    const client = etcd.client(members[0] ?? '')
    expect(await client.versions()).toEqual({ server: target, cluster: '3.6.0', storage: '3.6.0' })
    client.close()
    expect(await versions()).toEqual([target, target, target])
    const [file = ''] = await snapshots()
    expect(await karmadaNet(`etcd snapshot status ${join(etcd.state, 'snapshots/upgrade', file)}`)).toSucceed()
    expect(await karmadaNet(`etcd upgrade ${old}`)).toFailWith('there is no way back by binary', {
      hint: 'etcd snapshot restore FILE',
    })
    const again = await karmadaNet(`etcd upgrade ${target}`)
    expect(again).toSucceed()
    expect(again.stderr).toContain(`Nothing to do: upgrade runs etcd ${target}.`)
    expect((await karmadaNet('etcd up')).stderr).toContain('Nothing to do')
    expect(await snapshots()).toHaveLength(1)
  })

  test('cut off in the middle and the leader killed, the same command goes on and nothing is lost', async () => {
    const { lost } = await etcd.underWrites(async ledger => {
      expect((await cutOff(`etcd upgrade ${target}`)).code).toBe(130)
      await etcd.kill(await etcd.leader())
      await ledger.nextAck()
      await eventually(60, async () => expect(await karmadaNet(`etcd upgrade ${target}`)).toSucceed())
    })
    expect(lost).toEqual([])
    expect(await versions()).toEqual([target, target, target])
  })

  test('in the middle no member comes or is replaced; from there is a way back', async () => {
    expect((await cutOff(`etcd upgrade ${target}`)).code).toBe(130)
    const newcomer = etcd.memberOf('etcd4')
    for (const words of [
      `member add ${newcomer} --force`,
      `member replace ${members[0]} --dry-run`,
      `scale 4 --member ${newcomer} --force`,
    ]) {
      await eventually(60, async () => {
        expect(await karmadaNet(`etcd ${words}`)).toFailWith(
          /the members run different minors: etcd\d.*; etcd\d|would run etcd 3\.6\.16, beside etcd\d, etcd\d 3\.5\.33$/,
          { hint: `kubectl karmada-net etcd upgrade ${target}` },
        )
      })
    }
    await eventually(60, async () => expect(await karmadaNet(`etcd upgrade ${old} --skip-snapshot`)).toSucceed())
    expect(await versions()).toEqual([old, old, old])
    expect((await karmadaNet('etcd up')).stderr).toContain('Nothing to do')
  })
})

/**
 * etcd's own defect: replaying its log from before the upgrade, 3.6 takes a snapshot that pairs the members of today with the raft
 * configuration of then, if a megabyte lies between the two; the next start believes it.
 */
test('a member that was left with an old raft configuration is found, and replaced', async () => {
  const fill = async () => {
    const client = etcd.client(members[0] ?? '')
    for (let put = 0; put < 8; put++) await client.put(`/fill/${put}`, 'x'.repeat(200_000), { timeoutMs: 20_000 })
    client.close()
  }
  const [first = '', second = ''] = members
  await fill()
  expect(await karmadaNet(`etcd upgrade ${target}`)).toSucceed()
  await fill()
  expect(await karmadaNet(`etcd member replace ${first} --force`)).toSucceed()
  for (let restarts = 0; restarts < 2; restarts++) {
    await etcd.docker(second, 'restart', `karmada-net-etcd-upgrade-${second}`)
    await eventually(30, async () => expect((await versions())[1]).toBe(target))
    // Not before it has replayed its log.
    await eventually(30, async () => expect((await karmadaNet('etcd status')).stdout).toMatch(/^etcd2 +follower/m))
  }
  // Which the old configuration knows nothing of.
  await etcd.lead(first)
  await eventually(30, async () => {
    const status = await karmadaNet('etcd status')
    expect(status.stdout).toMatch(/^etcd2 .* not ready: /m)
    expect(status.stderr).toContain('hint: kubectl karmada-net etcd verify etcd2')
  })
  const verified = await karmadaNet('etcd verify etcd2')
  expect(verified.code).toBe(1)
  expect(verified.stdout).toContain('but nothing that needs the leader ends')
  expect(verified.stdout).toContain('hint: kubectl karmada-net etcd member replace etcd2')
  expect(await karmadaNet('etcd member replace etcd2 --force')).toSucceed()
  expect(await karmadaNet('etcd verify')).toSucceed()
})

describe('refuses', () => {
  test('what etcd itself could not do, and a member that is down; nothing has changed', async () => {
    expect(await karmadaNet('etcd upgrade 3.7.1')).toFailWith('from 3.5 to 3.7 is more than one minor', {
      hint: `etcd upgrade ${target} first`,
    })
    expect(await karmadaNet('etcd upgrade 3.4.34')).toFailWith('there is no way back by binary')
    expect(await karmadaNet('etcd upgrade newest')).toFailWith('"newest" is no version of etcd that was released')
    const [follower = ''] = await etcd.followers()
    await etcd.stop(follower)
    for (const flags of ['--dry-run', '--skip-snapshot']) {
      const run = await karmadaNet(`etcd upgrade ${target} ${flags}`)
      expect(run).toFailWith(
        `${follower} is down: with another one restarting 1 of 3 would be left, and 2 are needed`,
        {
          hint: `etcd member replace ${follower}`,
        },
      )
    }
    expect((await versions()).toSorted()).toEqual([old, old, 'down'].toSorted())
  })
})
