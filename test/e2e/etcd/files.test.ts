import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminIdentity, authorityOf, memberFiles } from '../../../src/etcd/certificates.ts'
import { createEtcdClient } from '../../../src/etcd/client/gateway.ts'
import { servedCertificate } from '../../../src/etcd/client/served.ts'
import type { MemberSpec } from '../../../src/etcd/cluster.ts'
import { createFilesDriver } from '../../../src/etcd/drivers/files/index.ts'
import { createDirectoryStore } from '../../../src/etcd/store/directory.ts'
import { eventually, openWorld } from '../plugin.ts'
import { carryFrom, commandsIn, ownMachines } from './by-hand.ts'
import { sentence, startLedger } from './ledger.ts'

const temporary = await mkdtemp(join(tmpdir(), 'karmada-net-files-'))
const state = join(temporary, 'state')
const { karmadaNet, kubectl, read, runUntil, sandbox } = await openWorld({ KARMADA_NET_STATE: state })
const folder = join(temporary, 'files')
const storeOf = (cluster: string) => createDirectoryStore(join(state, 'etcd', cluster))

afterAll(() => rm(temporary, { recursive: true, force: true }))

async function modifiedAt(): Promise<Record<string, number>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  const times = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name)
    return [path.slice(folder.length + 1), (await stat(path)).mtimeMs] as const
  })
  return Object.fromEntries(await Promise.all(times))
}

describe('three members under systemd, installed by their README', () => {
  const cluster = 'carried'
  const unit = `etcd-${cluster}`
  const machines = sandbox.machines.slice(0, 3)
  const members = machines.map(({ name, address }) => `--member ${name}=${address},files=${folder}`).join(' ')
  const [first] = machines
  if (!first) throw new Error('the sandbox has no machines')
  let owner: Awaited<ReturnType<typeof ownMachines>>
  beforeAll(async () => {
    owner = await ownMachines(sandbox, cluster, folder)
  })
  afterAll(() => owner[Symbol.asyncDispose]())

  const identity = () => adminIdentity(storeOf(cluster))
  const property = async (name: string) =>
    (await owner.first.exec(['systemctl', 'show', '--value', `--property=${name}`, unit])).stdout.trim()

  test('up writes a folder for each, and says what is to be done', async () => {
    const run = await karmadaNet(`etcd up ${cluster} ${members}`)
    expect(run).toSucceed()
    expect(run.stderr).toContain('Start them on their machines as each README says')
    expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY')
    expect((await readdir(folder)).sort()).toEqual(machines.map(({ name }) => name))
  })

  test('the commands install it, and systemd has nothing to say against the unit', async () => {
    for (const { machine, script, exec } of owner.systemds) {
      const there = await owner.carry(machine.name, machine)
      await script(await owner.commandsOf(machine.name, 'Install'), there)
      const verified = await exec(['systemd-analyze', 'verify', `/etc/systemd/system/${unit}.service`])
      expect(verified.stdout + verified.stderr).toBe('')
      // Of 100: below 20 is what systemd calls "OK"; a service without any hardening has 96.
      await exec(['systemd-analyze', 'security', '--threshold=20', `${unit}.service`])
      expect((await exec(['stat', '-c', '%U %a', `/etc/${unit}/pki/server.pem`])).stdout).toBe('etcd 600\n')
    }
  })

  test('started, it is found and verified', async () => {
    for (const { machine, script } of owner.systemds) {
      await script(await owner.commandsOf(machine.name, 'Start'), '/tmp')
    }
    const run = await karmadaNet(`etcd up ${cluster} ${members}`)
    expect(run).toSucceed()
    expect(run.stderr).toContain(`etcd ${cluster} is up and verified`)
    for (const { machine, script } of owner.systemds) {
      const checked = await script(await owner.commandsOf(machine.name, 'Check'), '/tmp')
      expect(checked.stdout).toContain('Active: active (running)')
      expect(checked.stdout).toContain('ok')
    }
  })

  test('up again changes nothing, not even the time of a file', async () => {
    const before = await modifiedAt()
    const run = await karmadaNet(`etcd up ${cluster} ${members}`)
    expect(run.stderr).toContain(`Nothing to do: ${cluster} is as it should be`)
    expect(await modifiedAt()).toEqual(before)
  })

  test('it runs with nothing that it does not need', async () => {
    const status = (await owner.first.exec(['cat', `/proc/${await property('MainPID')}/status`])).stdout
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]
    expect(field('Name')).toBe('etcd')
    expect(field('Uid')).not.toMatch(/\b0\b/)
    expect(field('NoNewPrivs')).toBe('1')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(field(set)).toBe('0000000000000000')
    // 2: a filter.
    expect(field('Seccomp')).toBe('2')
    // The machine that the sandbox stands on may allow fewer.
    expect(await property('LimitNOFILE')).toBe('65536')
  })

  test('killed under load it comes back by itself, and nothing that was acknowledged is lost', async () => {
    const endpoints = machines.map(({ address }) => `https://${address}:2379`)
    await using ledger = startLedger({ endpoints, identity })
    await ledger.nextAck()
    const killed = await property('MainPID')
    await owner.first.exec(['kill', '-KILL', killed])
    await eventually(60, async () => {
      expect(await property('ActiveState')).toBe('active')
      expect(await property('MainPID')).not.toBe(killed)
    })
    await ledger.nextAck()
    const report = await ledger.report()
    stderr.write(`  ${sentence(report)}\n`)
    expect(report.lost).toEqual([])
  })

  test('new certificates count without a restart', async () => {
    const member: MemberSpec = {
      name: first.name,
      address: first.address,
      site: first.name,
      driver: { kind: 'files', directory: folder, run: 'systemd' },
    }
    const running = await property('MainPID')
    const before = await servedCertificate(first.address, 2379, await identity())
    const files = memberFiles(await authorityOf(storeOf(cluster)), member, 'ecdsa-p256')
    expect(await createFilesDriver(cluster, member).deliver(files)).toBe(true)
    const there = await owner.carry(first.name, first)
    const install = (await owner.commandsOf(first.name, 'Install'))
      .split('\n')
      .find(line => line.includes('pki/server.pem'))
    await owner.first.script(install ?? 'false', there)
    const after = await servedCertificate(first.address, 2379, await identity())
    expect(after.serialNumber).not.toBe(before.serialNumber)
    expect(files['server.pem']).toContain(after.toString().trim())
    expect(await property('MainPID')).toBe(running)
    expect(await karmadaNet(`etcd up ${cluster} ${members}`)).toSucceed()
  })
})

describe('a member as a static pod, installed by its README', () => {
  const cluster = 'static'
  const { host } = sandbox
  const inventory = join(temporary, 'static.yaml')
  // The node has an etcd of its own.
  const text = `apiVersion: karmada-net.io/v1alpha1
kind: EtcdCluster
metadata: {name: ${cluster}}
spec:
  ports: {client: 22379, peer: 22380, metrics: 22381}
  members:
    - {name: only, address: ${host.address}, files: {directory: files, run: static-pod}}
`
  const manifest = `/etc/kubernetes/manifests/etcd-${cluster}.yaml`
  const pods = `pods -n kube-system -l app.kubernetes.io/instance=${cluster}`
  const run = async (heading: string, there: string) =>
    host.exec(['sh', '-ec', `cd ${there}\n${await commandsIn(folder)('only', heading)}`])

  beforeAll(() => writeFile(inventory, text))
  afterAll(async () => {
    await host.exec(['rm', '-f', manifest])
    await eventually(90, async () => expect(await kubectl('host', `get ${pods} -o name`)).toBe(''))
    await host.exec(['rm', '-rf', `/etc/etcd-${cluster}`, `/var/lib/etcd-${cluster}`, '/tmp/files-of-only'])
  })

  test('an API server takes its manifest', async () => {
    expect(await karmadaNet(`etcd up -f ${inventory}`)).toSucceed()
    const answer = await kubectl(
      'host',
      `apply --dry-run=server -f ${join(folder, 'only', `etcd-${cluster}.yaml`)} -o name`,
    )
    expect(answer).toBe(`pod/etcd-${cluster}\n`)
  })

  test('its kubelet runs it, and it is verified', async () => {
    const there = await carryFrom(folder)('only', host)
    await run('Install', there)
    await run('Start', there)
    await eventually(90, async () => {
      const { items } = await read<{ apiVersion: string; kind: string; metadata: { name: string }; items: Pod[] }>(
        'host',
        pods,
      )
      expect(items.map(({ status }) => status.containerStatuses?.map(({ ready }) => ready))).toEqual([[true]])
    })
    const verified = await karmadaNet(`etcd up -f ${inventory}`)
    expect(verified).toSucceed()
    expect(verified.stderr).toContain(`etcd ${cluster} is up and verified`)
    expect(await karmadaNet(`etcd up -f ${inventory}`)).toSucceed()
  })

  test('back to a snapshot, by the script that its folder gets', async () => {
    const client = createEtcdClient(`https://${host.address}:22379`, () => adminIdentity(storeOf(cluster)))
    try {
      await client.put('/before', 'kept')
      const snapshot = join(temporary, 'pod.db')
      expect(await karmadaNet(`etcd snapshot save ${snapshot} --etcd ${cluster}`)).toSucceed()
      const last = await client.put('/after', 'gone')
      const restored = Promise.withResolvers<void>()
      const byHand = async () => {
        const there = await carryFrom(folder)('only', host)
        await host.exec(['sh', `${there}/restore/restore.sh`])
      }
      const words = `etcd snapshot restore ${snapshot} --yes --etcd ${cluster}`
      const run = await runUntil(words, /restore.sh$/m, () => restored.resolve(byHand()))
      await restored.promise
      expect(run).toSucceed()
      expect((await client.range({ key: '/before' })).kvs).toHaveLength(1)
      expect((await client.range({ key: '/after' })).kvs).toHaveLength(0)
      expect((await client.status()).revision).toBeGreaterThan(last)
    } finally {
      client.close()
    }
  })
})

interface Pod {
  status: { containerStatuses?: { ready: boolean }[] }
}
