import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminIdentity } from '../../../src/etcd/certificates.ts'
import { inspectSnapshot } from '../../../src/etcd/snapshot/inspect.ts'
import { createDirectoryStore } from '../../../src/etcd/store/directory.ts'
import { versions } from '../../setup/components.ts'
import { eventually, openWorld } from '../plugin.ts'
import { ownMachines } from './by-hand.ts'
import { sentence, startLedger } from './ledger.ts'

const cluster = 'life'
const unit = `etcd-${cluster}`
const temporary = await mkdtemp(join(tmpdir(), 'karmada-net-files-life-'))
const state = join(temporary, 'state')
const folder = join(temporary, 'files')
const inventory = join(temporary, 'cluster.json')
const snapshot = join(temporary, 'snapshot.db')
const { karmadaNet, runUntil, sandbox } = await openWorld({ KARMADA_NET_STATE: state })
const machines = sandbox.machines.slice(0, 3)
const apiVersion = 'karmada-net.io/v1alpha1'
const entries = machines.map(({ name, address }) => ({ name, address, files: { directory: folder } }))
const members = machines.map(({ name, address }) => `--member ${name}=${address},files=${folder}`).join(' ')

/** While all these run, somebody carries whatever changes to the machines and restarts what needs it. */
describe('the life of members that their owner installs', () => {
  let owner: Awaited<ReturnType<typeof ownMachines>>
  let watching: AsyncDisposable
  beforeAll(async () => {
    owner = await ownMachines(sandbox, cluster, folder)
    watching = owner.watch()
  })
  afterAll(async () => {
    await watching[Symbol.asyncDispose]()
    await owner[Symbol.asyncDispose]()
    await rm(temporary, { recursive: true, force: true })
  })

  const writing = () =>
    startLedger({
      endpoints: machines.map(({ address }) => `https://${address}:2379`),
      identity: () => adminIdentity(createDirectoryStore(join(state, 'etcd', cluster))),
    })

  async function losesNothing(words: string): Promise<void> {
    await using ledger = writing()
    await ledger.nextAck()
    expect(await karmadaNet(words, { timeoutMs: 280_000 })).toSucceed()
    await ledger.nextAck()
    const report = await ledger.report()
    stderr.write(`  ${words}: ${sentence(report)}\n`)
    expect(report.lost).toEqual([])
  }

  test('begins', async () => {
    expect(await karmadaNet(`etcd up ${cluster} ${members} --version ${versions.etcd35}`)).toSucceed()
    await eventually(120, async () => {
      const verified = await karmadaNet(`etcd up ${cluster}`)
      expect(verified).toSucceed()
      expect(verified.stderr).toContain(`etcd ${cluster} is up and verified`)
    })
  })

  test('goes on after a disk was wiped', async () => {
    const { exec, machine } = owner.first
    await exec(['systemctl', 'stop', unit])
    await exec(['rm', '-rf', `/var/lib/${unit}/generation-1`])
    await losesNothing(`etcd member replace ${machine.name}`)
    const flags = await exec(['cat', `/etc/${unit}/etcd.env`])
    expect(flags.stdout).toContain(`ETCD_DATA_DIR="/var/lib/${unit}/generation-2"`)
  })

  test('goes on with new certificates', () => losesNothing('etcd certs rotate'))

  test('goes on with another authority', async () => {
    await losesNothing('etcd certs rotate --ca')
    await losesNothing('etcd certs rotate --ca --finish')
  })

  test('goes on with another version', () => losesNothing(`etcd upgrade ${versions.etcd}`))

  test('goes on with other settings, which reach one member after the other', async () => {
    const spec = { tuning: { quota: '1Gi', heartbeatMs: 150, electionMs: 1500 }, members: entries }
    await writeFile(inventory, JSON.stringify({ apiVersion, kind: 'EtcdCluster', metadata: { name: cluster }, spec }))
    await losesNothing(`etcd up -f ${inventory}`)
    for (const { exec } of owner.systemds) {
      expect((await exec(['cat', `/etc/${unit}/etcd.env`])).stdout).toContain('ETCD_HEARTBEAT_INTERVAL="150"')
    }
    const { items } = JSON.parse((await karmadaNet('etcd status -o json')).stdout)
    expect(items.map(({ dbSizeQuota }: { dbSizeQuota: number }) => dbSizeQuota)).toEqual([2 ** 30, 2 ** 30, 2 ** 30])
    expect((await karmadaNet(`etcd up -f ${inventory}`)).stderr).toContain(`Nothing to do: ${cluster}`)
  })

  test('cut off in the middle of that, the same command goes on', async () => {
    const spec = { tuning: { quota: '2Gi' }, members: entries }
    await writeFile(inventory, JSON.stringify({ apiVersion, kind: 'EtcdCluster', metadata: { name: cluster }, spec }))
    const cut = await runUntil(`etcd up -f ${inventory}`, /^ → \S+: copy .* systemctl restart/m, ({ pid }) =>
      process.kill(pid, 'SIGINT'),
    )
    expect(cut.code).not.toBe(0)
    await losesNothing(`etcd up -f ${inventory}`)
    expect((await karmadaNet(`etcd up -f ${inventory}`)).stderr).toContain(`Nothing to do: ${cluster}`)
  })

  test('a healthy member begins anew', () => losesNothing(`etcd member replace ${machines[1]?.name} --force`))

  test.each(['to its end', 'cut off, and again'])('goes back to a snapshot, %s', async how => {
    await using ledger = writing()
    await ledger.nextAck()
    expect(await karmadaNet(`etcd snapshot save ${snapshot} --force`)).toSucceed()
    await ledger.nextAck()
    await ledger.stop()
    const words = `etcd snapshot restore ${snapshot} --yes`
    if (how !== 'to its end') {
      const cut = await runUntil(words, /^ → .*restore.sh$/m, ({ pid }) => process.kill(pid, 'SIGINT'))
      expect(cut.code).not.toBe(0)
      // What it would start is not there before it is restored.
      expect(await karmadaNet(`etcd up ${cluster}`)).toFailWith('a restore was begun, and waits for', {
        hint: `etcd snapshot restore ${snapshot} goes on`,
      })
    }
    const run = await karmadaNet(words, { timeoutMs: 280_000 })
    expect(run).toSucceed()
    for (const { name } of machines) expect(run.stderr).toMatch(new RegExp(`${name}: copy .* sh restore/restore.sh`))
    const { revision = 0n } = await inspectSnapshot(snapshot)
    const report = await ledger.report({ upTo: revision })
    stderr.write(`  ${words}: ${sentence(report)}\n`)
    expect(report.lost).toEqual([])
    expect(await readdir(join(folder, machines[0]?.name ?? ''))).not.toContain('restore')
  })

  test('goes on from the one member that is left, which answers nobody any more', async () => {
    const [survivor, ...others] = owner.systemds
    await using ledger = writing()
    await ledger.nextAck()
    await ledger.stop()
    for (const { exec } of others) await exec(['sh', '-c', `systemctl stop ${unit}; rm -rf /var/lib/${unit}/*`])
    await survivor?.exec(['systemctl', 'restart', '--no-block', unit])
    const words = `etcd recover --from ${survivor?.machine.name} --out ${snapshot} --force --yes`
    expect(await karmadaNet(words, { timeoutMs: 280_000 })).toSucceed()
    const { revision = 0n } = await inspectSnapshot(snapshot)
    expect((await ledger.report({ upTo: revision })).lost).toEqual([])
  })

  test('and all is well', async () => {
    const again = await karmadaNet(`etcd up ${cluster}`)
    expect(again).toSucceed()
    expect(again.stderr).toContain(`Nothing to do: ${cluster} is as it should be`)
    expect(await karmadaNet('etcd verify')).toSucceed()
  })
})
