import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminIdentity } from '../../../src/etcd/certificates.ts'
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
const { karmadaNet, sandbox } = await openWorld({ KARMADA_NET_STATE: state })
const machines = sandbox.machines.slice(0, 3)
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

  async function losesNothing(words: string): Promise<void> {
    const endpoints = machines.map(({ address }) => `https://${address}:2379`)
    const identity = () => adminIdentity(createDirectoryStore(join(state, 'etcd', cluster)))
    await using ledger = startLedger({ endpoints, identity })
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

  test('goes on with another version', () => losesNothing(`etcd upgrade ${versions.etcd}`))

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

  test('and all is well', async () => {
    const again = await karmadaNet(`etcd up ${cluster}`)
    expect(again).toSucceed()
    expect(again.stderr).toContain(`Nothing to do: ${cluster} is as it should be`)
    expect(await karmadaNet('etcd verify')).toSucceed()
  })
})
