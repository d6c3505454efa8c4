import { readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, readState } from '../../../src/etcd/index.ts'
import { createSecretsStore } from '../../../src/etcd/store/secrets.ts'
import { createClient } from '../../../src/kube/client.ts'
import { loadKubeconfig } from '../../../src/kube/kubeconfig-files.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { eventually, openWorld } from '../plugin.ts'

const { karmadaNet, kubectl, read, sandbox } = await openWorld()

/** Clusters on one network: a member of etcd in each. */
const sites = sandbox.sites.filter(({ role }) => role !== 'pull').slice(0, 3)
const name = 'backed-up'
const namespace = 'karmada-net-etcd'
const folder = '/var/lib/karmada-net-backups'
const inventory = join(tmpdir(), `karmada-net-${process.pid}-backup.yaml`)
const text = `apiVersion: karmada-net.io/v1alpha1
kind: EtcdCluster
metadata: {name: ${name}}
spec:
  backup: {schedule: 6h, keep: 2, directory: ${folder}}
  members:
${sites.map((site, index) => `    - {name: m${index + 1}, address: ${site.address}, kubernetes: {context: ${site.name}}}`).join('\n')}
`
const [first, second] = sites
if (!first || !second) throw new Error('the sandbox has too few clusters')
const files = async (site = first) => (await readdir(site.path(join(folder, name))).catch(() => [])).sort()
const down = () => karmadaNet(`etcd down --etcd ${name} --yes --skip-snapshot`)
const objects = (site = first) =>
  kubectl(site.name, `get cronjobs,jobs,secrets -n ${namespace} -l app.kubernetes.io/component=etcd-backup -o name`)

interface Job extends KubeObject {
  status: { conditions?: { type: string; status: string }[] }
}

/** As somebody who wants a backup now; answers how it ended. */
async function runJob(job: string): Promise<string> {
  await kubectl(first?.name ?? '', `create job ${job} -n ${namespace} --from=cronjob/backup-${name}-m1`)
  let ended = ''
  await eventually(240, async () => {
    const { status } = await read<Job>(first?.name ?? '', `job ${job} -n ${namespace}`)
    ended =
      status.conditions?.find(({ type, status }) => /^(Complete|Failed)$/.test(type) && status === 'True')?.type ?? ''
    expect(ended).not.toBe('')
  })
  return ended
}

async function forgetAll(): Promise<void> {
  await down()
  for (const site of sites) await rm(site.path(folder), { recursive: true, force: true })
}

beforeAll(async () => {
  await writeFile(inventory, text)
  await forgetAll()
})
afterAll(async () => {
  await forgetAll()
  await rm(inventory, { force: true })
})

test('what the inventory says of backups becomes a CronJob at each site, and a second time changes nothing', async () => {
  const planned = await karmadaNet(`etcd up -f ${inventory} --dry-run -o name`)
  expect(planned.stdout.match(/^cronjob\.batch\/.*$/gm)).toEqual(
    sites.map((_, index) => `cronjob.batch/backup-${name}-m${index + 1}`),
  )
  const run = await karmadaNet(`etcd up -f ${inventory}`)
  expect(run).toSucceed()
  expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY')
  for (const [index, site] of sites.entries()) {
    const made = (await objects(site)).trim().split('\n')
    expect(made).toEqual([`cronjob.batch/backup-${name}-m${index + 1}`, `secret/backup-${name}-m${index + 1}`])
  }
  expect((await karmadaNet(`etcd up -f ${inventory}`)).stderr).toContain('Nothing to do')
  expect((await karmadaNet(`etcd snapshot save --every 6h --etcd ${name}`)).stderr).toContain('Nothing to do')
  expect((await karmadaNet(`etcd status --etcd ${name}`)).stderr).toContain('no backup yet in')
})

test('its Job writes a snapshot that is whole, and the newest two stay', async () => {
  const seen: string[][] = []
  for (const job of ['one', 'two', 'three']) {
    expect(await runJob(job)).toBe('Complete')
    seen.push(await files())
  }
  expect(seen.map(({ length }) => length)).toEqual([1, 2, 2])
  expect(seen[2]).not.toContain(seen[0]?.[0])
  expect(seen[2]).toContain(seen[1]?.find(file => file !== seen[0]?.[0]))
  for (const file of await files()) {
    const checked = await karmadaNet(`etcd snapshot status ${first.path(join(folder, name, file))}`)
    expect(checked).toSucceed()
    expect(checked.stdout).toContain('good: the checksum fits its content')
  }
  expect(await karmadaNet(`etcd snapshot list --etcd ${name}`)).toFailWith('lie beside its members', { hint: 'scp' })
  // The other sites have their own times.
  expect(await files(second)).toEqual([])
  const status = await karmadaNet(`etcd status --etcd ${name}`)
  expect(status.stderr).toMatch(/newest backup \d+s old/)
  expect(status.stderr).not.toMatch(new RegExp(`no backup yet in .*\\b${first.name}\\b[^2]`))
})

test('new certificates reach it, of another authority too', async () => {
  const shown = async () =>
    (await read<KubeObject & { data: Record<string, string> }>(first.name, `secret backup-${name}-m1 -n ${namespace}`))
      .data
  const before = await shown()
  expect(await karmadaNet(`etcd certs rotate --etcd ${name}`)).toSucceed()
  const rotated = await shown()
  expect(rotated['tls.crt']).not.toBe(before['tls.crt'])
  expect(rotated['ca.crt']).toBe(before['ca.crt'])
  expect(await karmadaNet(`etcd certs rotate --ca --yes --etcd ${name}`)).toSucceed()
  const changed = await shown()
  expect(changed['tls.crt']).not.toBe(rotated['tls.crt'])
  expect(changed['ca.crt']).not.toBe(rotated['ca.crt'])
  expect(await runJob('of-the-new-authority')).toBe('Complete')
})

test('it fails while etcd is away, removes nothing, and "etcd status" says so until one succeeds again', async () => {
  const kept = await files()
  const kubeconfig = await loadKubeconfig({ env, path: sandbox.kubeconfig })
  const clientOf = (context: string) => createClient(kubeconfig, context, { env })
  const contexts = sites.map(site => ({ context: site.name, client: clientOf(site.name) }))
  const store = createSecretsStore(contexts, namespace, name)
  const state = await readState(store)
  if (!state) throw new Error('there is no cluster')
  const world = createWorld(store, state, { env, signal: AbortSignal.timeout(280_000), timeoutMs: 60_000, clientOf })
  await Promise.all(state.spec.members.map(member => world.driverOf(member).stop()))
  for (const { client } of contexts) client.close()
  expect(await runJob('in-vain')).toBe('Failed')
  expect(await files()).toEqual(kept)
  expect((await karmadaNet(`etcd status --etcd ${name}`)).stderr).toMatch(
    /backup failed \(no member can give a snapshot/,
  )
  expect(await karmadaNet(`etcd up ${name}`)).toSucceed()
  const status = await karmadaNet(`etcd status --etcd ${name}`)
  expect(status.stderr).toContain('backup failed')
  expect(status.stderr).toContain(`hint: kubectl --context ${first.name} -n ${namespace} logs job/in-vain`)
  expect(await runJob('again')).toBe('Complete')
  expect((await karmadaNet(`etcd status --etcd ${name}`)).stderr).not.toContain('backup failed')
})

test('a folder that was lost is not made anew by a pod: "etcd status" says so, and "etcd up" makes it', async () => {
  await rm(first.path(folder), { recursive: true })
  await kubectl(first.name, `create job homeless -n ${namespace} --from=cronjob/backup-${name}-m1`)
  await eventually(150, async () =>
    expect((await karmadaNet(`etcd status --etcd ${name}`)).stderr).toMatch(
      /backup failed .*hostPath type check failed/,
    ),
  )
  expect(await files()).toEqual([])
  expect(await karmadaNet(`etcd up ${name}`)).toSucceed()
  await eventually(200, async () => expect(await files()).toHaveLength(1))
})

test('"never" ends them and leaves what was saved; "etcd down" takes them along', async () => {
  const kept = await files(second)
  expect(await karmadaNet(`etcd snapshot save --every never --etcd ${name}`)).toSucceed()
  for (const site of sites) expect(await objects(site)).toBe('')
  expect((await karmadaNet(`etcd status --etcd ${name}`)).stderr).not.toContain('backup')
  expect(await karmadaNet(`etcd snapshot save --every 1d --directory ${folder} --etcd ${name}`)).toSucceed()
  expect(await runJob('last')).toBe('Complete')
  const saved = await files()
  expect(saved).toHaveLength(2)
  expect(await down()).toSucceed()
  for (const site of sites) expect(await kubectl(site.name, 'get namespaces -o name')).not.toContain(namespace)
  expect(await files()).toEqual(saved)
  expect(await files(second)).toEqual(kept)
})
