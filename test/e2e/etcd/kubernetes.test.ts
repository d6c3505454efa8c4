import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { env } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authorityOf, memberFiles } from '../../../src/etcd/certificates.ts'
import { servedCertificate } from '../../../src/etcd/client/served.ts'
import type { MemberSpec } from '../../../src/etcd/cluster.ts'
import { createWorld, readState } from '../../../src/etcd/index.ts'
import { launchFor } from '../../../src/etcd/launch.ts'
import { listClusters } from '../../../src/etcd/store/remembered.ts'
import { createSecretsStore } from '../../../src/etcd/store/secrets.ts'
import { waitForHealthy, waitForReady } from '../../../src/etcd/waits.ts'
import type { EtcdWorld } from '../../../src/etcd/world.ts'
import { createClient } from '../../../src/kube/client.ts'
import { loadKubeconfig } from '../../../src/kube/kubeconfig-files.ts'
import { openWorld } from '../plugin.ts'

const { karmadaNet, kubectl, read, sandbox } = await openWorld()

/** Clusters on one network: a member of etcd in each. The node has an etcd of its own on 127.0.0.1:2379. */
const sites = sandbox.sites.filter(({ role }) => role !== 'pull').slice(0, 3)
const name = 'kube'
const namespace = 'karmada-net-etcd'
const members = sites.map(({ name, address }, index) => `--member m${index + 1}=${address},context=${name}`).join(' ')
const ours = `-n ${namespace} -l app.kubernetes.io/managed-by=kubectl-karmada-net`
const [first] = sites
if (!first) throw new Error('the sandbox has no cluster')

const kubeconfig = await loadKubeconfig({ env, path: sandbox.kubeconfig })
const clientOf = (context: string) => createClient(kubeconfig, context, { env })
const contexts = sites.map(site => ({ context: site.name, client: clientOf(site.name) }))
const warnings: string[] = []
const storeOf = () => createSecretsStore(contexts, namespace, name, { onWarning: text => warnings.push(text) })

/** The cluster as a command would see it now. */
async function look(): Promise<{ world: EtcdWorld; m1: MemberSpec; m2: MemberSpec }> {
  const store = storeOf()
  const state = await readState(store)
  const [m1, m2] = state?.spec.members ?? []
  if (!state || !m1 || !m2) throw new Error('there is no cluster')
  const signal = AbortSignal.timeout(280_000)
  return { world: createWorld(store, state, { env, signal, timeoutMs: 60_000, clientOf }), m1, m2 }
}

const pod = (member: string, site = first) =>
  read<{ apiVersion: string; kind: string; metadata: { name: string; uid: string } }>(
    site.name,
    `pod etcd-${name}-${member}-0 -n ${namespace}`,
  )

async function removeAll(): Promise<void> {
  const store = storeOf()
  const state = await readState(store)
  if (!state) return
  const world = createWorld(store, state, { env, signal: AbortSignal.timeout(200_000), timeoutMs: 60_000, clientOf })
  await Promise.all(state.spec.members.map(member => world.driverOf(member).remove({ keepData: false })))
  await store.remove()
}

beforeAll(removeAll)
afterAll(async () => {
  await removeAll()
  for (const { client } of contexts) client.close()
})

describe('a member in each of three clusters', () => {
  test('comes up verified', async () => {
    const run = await karmadaNet(`etcd up ${name} ${members}`)
    expect(run).toSucceed()
    expect(run.stderr).toContain(`etcd ${name} is up and verified`)
    expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY')
    expect(await karmadaNet(`etcd verify --etcd ${name}`)).toSucceed()
  })

  test('and a second time changes nothing', async () => {
    const before = await pod('m1')
    const run = await karmadaNet(`etcd up ${name} ${members}`)
    expect(run.stderr).toContain(`Nothing to do: ${name} is as it should be`)
    expect(await pod('m1')).toEqual(before)
  })

  test('any kubeconfig of one of them finds it', async () => {
    for (const { client } of contexts) expect(await listClusters(client)).toContainEqual({ name, namespace })
    expect(await karmadaNet(`etcd up ${name}`)).toSucceed()
  })

  test('a member whose pod was deleted comes back on its node with its data', async () => {
    const before = await pod('m1')
    await kubectl(first.name, `delete pod ${before.metadata.name} -n ${namespace}`)
    const { world, m1 } = await look()
    await waitForReady(world, m1)
    expect((await pod('m1')).metadata.uid).not.toBe(before.metadata.uid)
    const run = await karmadaNet(`etcd up ${name}`)
    expect(run.stderr).toContain('Nothing to do')
  })

  test('a member that is not ready is looked at, not killed: without a quorum it waits', async () => {
    const { world, m1 } = await look()
    const [, m2, m3] = world.state.spec.members
    if (!m2 || !m3) throw new Error('three members are needed')
    await Promise.all([m2, m3].map(member => world.driverOf(member).stop()))
    expect((await world.driverOf(m2).inspect()).state).toBe('stopped')
    await new Promise(resolve => setTimeout(resolve, 20_000))
    const { status } = await read<{
      apiVersion: string
      kind: string
      metadata: { name: string }
      status: { containerStatuses: { restartCount: number; ready: boolean }[] }
    }>(first.name, `pod etcd-${name}-m1-0 -n ${namespace}`)
    expect(status.containerStatuses).toMatchObject([{ restartCount: 0, ready: false }])
    expect((await world.driverOf(m1).inspect()).state).toBe('running')
    expect(await karmadaNet(`etcd up ${name}`)).toSucceed()
    await waitForHealthy(world)
  })
})

describe('the driver', () => {
  test('renews certificates without a restart', async () => {
    const { world, m1 } = await look()
    const before = await pod('m1')
    const files = memberFiles(await authorityOf(world.store), m1, 'ecdsa-p256')
    expect(await world.driverOf(m1).deliver(files)).toBe(true)
    const wanted = new X509Certificate(files['server.pem']).serialNumber
    const { client, peer } = world.state.spec.ports
    expect((await servedCertificate(m1.address, client)).serialNumber).toBe(wanted)
    expect((await servedCertificate(m1.address, peer)).serialNumber).toBe(
      new X509Certificate(files['peer.pem']).serialNumber,
    )
    expect((await pod('m1')).metadata.uid).toBe(before.metadata.uid)
    expect(await world.driverOf(m1).deliver(files)).toBe(false)
  })

  test('restarts for another command line, and for nothing else', async () => {
    const { world, m1 } = await look()
    const driver = world.driverOf(m1)
    const launch = launchFor(world.state, m1, driver)
    expect(await driver.start(launch)).toBe(false)
    expect(await driver.start({ ...launch, bootstrapArgs: ['--initial-cluster-state=existing'] })).toBe(false)
    const before = await pod('m1')
    const args = launch.args.map(arg => arg.replace('--snapshot-count=10000', '--snapshot-count=9999'))
    expect(await driver.start({ ...launch, args })).toBe(true)
    expect((await driver.inspect()).launch).toEqual({ version: '3.6.16', image: launch.image, generation: 1, args })
    expect((await pod('m1')).metadata.uid).not.toBe(before.metadata.uid)
    await waitForReady(world, m1)
    expect(await driver.start(launch)).toBe(true)
    await waitForReady(world, m1)
  })

  test('says what an etcd said that ends at once', async () => {
    const { world, m1 } = await look()
    const driver = world.driverOf(m1)
    const launch = launchFor(world.state, m1, driver)
    const args = launch.args.map(arg => arg.replace('--heartbeat-interval=100', '--heartbeat-interval=999'))
    await expect(driver.start({ ...launch, args })).rejects.toThrow(
      /ends as soon as it starts, exit 1: .*heartbeat-interval/,
    )
    expect((await driver.inspect()).said).toMatch(/^exit 1: .*heartbeat-interval/)
    expect(await driver.start(launch)).toBe(true)
    await waitForReady(world, m1)
  })

  test('restores a snapshot into a new generation, and discards the old one', async () => {
    const { world, m1, m2 } = await look()
    const client = world.clientOf(m2)
    await client.put('kubernetes-test/key', 'value')
    await waitForReady(world, m1)
    const chunks: Uint8Array[] = []
    for await (const chunk of client.snapshot()) chunks.push(chunk)
    const snapshot = Buffer.concat(chunks)
    // More than one message, so that order and end matter.
    expect(createHash('sha256').update(snapshot.subarray(0, -32)).digest()).toEqual(snapshot.subarray(-32))
    const driver = world.driverOf(m1)
    const launch = { ...launchFor(world.state, m1, driver), generation: 2 }
    async function* sent() {
      for (let at = 0; at < snapshot.length; at += 10_000) yield snapshot.subarray(at, at + 10_000)
    }
    const restore = (data: AsyncIterable<Uint8Array>) =>
      driver.etcdutl(
        launch,
        path => ['snapshot', 'restore', path, `--data-dir=${driver.paths.data(2)}`],
        data,
        snapshot.length,
      )
    await expect(restore(sent())).rejects.toThrow('still runs')
    expect(await driver.stop()).toBe(true)
    expect(await driver.stop()).toBe(false)
    async function* tampered() {
      yield Buffer.concat([snapshot.subarray(0, -33), randomBytes(33)])
    }
    await expect(restore(tampered())).rejects.toThrow(/expected sha256/)
    expect(await restore(sent())).toContain('restored snapshot')
    const folder = `/var/lib/karmada-net/etcd/${name}/m1`
    const generations = async () => (await first.exec(['ls', folder])).stdout.trim().split('\n')
    expect(await generations()).toEqual(['generation-1', 'generation-2', 'generation-2.restored'])
    await first.exec(['rm', '-r', `${folder}/generation-2`, `${folder}/generation-2.restored`])
    expect(await driver.start(launchFor(world.state, m1, driver))).toBe(true)
    await waitForReady(world, m1)
    await driver.discardBefore(1)
    expect(await generations()).toEqual(['generation-1'])
    expect(await kubectl(first.name, `get pods ${ours} -o name`)).toBe(`pod/etcd-${name}-m1-0\n`)
  })

  test('refuses a folder that has data of another life', async () => {
    const { world, m1 } = await look()
    const folder = `/var/lib/karmada-net/etcd/${name}/m9/generation-1`
    const m9 = world.driverOf({ ...m1, name: 'm9' })
    await first.exec(['mkdir', '-p', `${folder}/member`])
    await expect(m9.start(launchFor(world.state, m1, m9))).rejects.toThrow(`${folder} is not empty`)
    expect((await m9.inspect()).state).toBe('absent')
    await first.exec(['rm', '-r', `/var/lib/karmada-net/etcd/${name}/m9`])
  })

  test('a wiped disk: etcd does not begin anew with an empty log, and the member is replaced', async () => {
    const { world, m1 } = await look()
    const driver = world.driverOf(m1)
    // Between two tries of a pod that keeps ending it runs for a moment.
    const lost = (said: RegExp) =>
      expect
        .poll(() => driver.inspect(), { timeout: 120_000 })
        .toMatchObject({
          state: 'absent',
          said: expect.stringMatching(said),
        })
    await first.exec(['rm', '-r', `/var/lib/karmada-net/etcd/${name}/m1/generation-1`])
    await kubectl(first.name, `delete pod etcd-${name}-m1-0 -n ${namespace}`)
    await lost(/permission denied/)
    await first.exec(['rm', '-r', `/var/lib/karmada-net/etcd/${name}/m1`])
    await kubectl(first.name, `delete pod etcd-${name}-m1-0 -n ${namespace}`)
    await lost(/hostPath type check failed/)
    expect(await karmadaNet(`etcd member replace m1 --etcd ${name}`)).toSucceed()
    const { world: now } = await look()
    expect(now.state.members['m1']?.generation).toBe(2)
    await waitForHealthy(now)
  })

  test('leaves alone what is not ours', async () => {
    const { world, m1 } = await look()
    const m9: MemberSpec = { ...m1, name: 'm9' }
    await kubectl(first.name, `create secret generic etcd-${name}-m9 -n ${namespace} --from-literal=a=b`)
    const driver = world.driverOf(m9)
    const found = await driver.inspect()
    expect(found).toMatchObject({ state: 'absent' })
    expect(found.foreign).toContain(`Secret ${namespace}/etcd-${name}-m9 was not made by this plugin`)
    await expect(driver.deliver({ 'ca.crt': 'x', 'server.pem': 'x', 'peer.pem': 'x' })).rejects.toThrow(
      'was not made by',
    )
    expect(await driver.remove({ keepData: false })).toBe(false)
    await kubectl(first.name, `delete secret etcd-${name}-m9 -n ${namespace}`)
  })
})

describe('what is remembered of it', () => {
  test('one command at a time', async () => {
    const release = await storeOf().lock('certs rotate')
    await expect(storeOf().lock('up')).rejects.toThrow(/is being worked on by .*: certs rotate$/)
    await release()
    await (await storeOf().lock('up'))()
    for (const { context } of contexts) expect(await kubectl(context, `get leases ${ours} -o name`)).toBe('')
  })

  test('a cluster that is away costs a warning, and learns what it missed', async () => {
    const [, , third] = sites
    if (!third) throw new Error('three clusters are needed')
    warnings.length = 0
    await third.stop('kube-apiserver')
    try {
      await storeOf().write({ 'note.txt': 'written by two of three' })
      expect(warnings.join()).toContain(`context ${third.name}: `)
      expect(await storeOf().read('note.txt')).toBe('written by two of three')
    } finally {
      await third.start('kube-apiserver')
    }
    const alone = createSecretsStore(contexts.slice(2), namespace, name)
    await expect.poll(() => alone.list().catch(() => []), { timeout: 60_000 }).toContain('cluster.json')
    expect(await createSecretsStore(contexts.slice(2), namespace, name).read('note.txt')).toBeUndefined()
    await (await storeOf().lock('up'))()
    expect(await createSecretsStore(contexts.slice(2), namespace, name).read('note.txt')).toBe(
      'written by two of three',
    )
    await storeOf().write({ 'note.txt': undefined })
    expect(await storeOf().list()).not.toContain('note.txt')
  })
})

describe('taken down', () => {
  test('it leaves nothing', async () => {
    expect(await karmadaNet(`etcd down --etcd ${name} --yes --skip-snapshot`)).toSucceed()
    for (const site of sites) {
      expect(await kubectl(site.name, 'get namespaces -o name')).not.toContain(namespace)
      expect((await site.exec(['ls', '/var/lib/karmada-net/etcd'])).stdout.trim()).toBe('')
    }
    expect(await listClusters(clientOf(first.name))).toEqual([])
  })
})
