import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../plugin.ts'
import { namespace, openKubernetesWorld, ours } from './kubernetes-world.ts'

const cluster = 'life'
const life = await openKubernetesWorld(cluster)
const { karmadaNet, kubectl, runUntil, sites, siteOf, flagOf, underWrites } = life
const members = ['m1', 'm2', 'm3']
const [old, target] = ['3.5.33', '3.6.16']
const file = (name: string) => join(life.folder, name)
const flags = (names = members) => names.map(name => `--member ${flagOf(name)}`).join(' ')

const cutAt = (words: string, pattern: RegExp, afterMs = 0) =>
  runUntil(words, pattern, ({ pid }) => setTimeout(() => process.kill(pid, 'SIGINT'), afterMs))

const restarts = async () => (await Promise.all(members.map(life.pod))).map(({ metadata }) => metadata.uid)

/** What carries our label in a member's cluster, and what lies on its node. */
async function leftWith(member: string): Promise<string[]> {
  const { name, exec } = siteOf(member)
  const kinds = 'all,secrets,configmaps,leases,poddisruptionbudgets,persistentvolumeclaims,namespaces'
  const objects = await kubectl(name, `get ${kinds} -A -l ${ours} -o name`)
  const folders = (await exec(['ls', '/var/lib/karmada-net/etcd'])).stdout
  return `${objects}${folders}`.split('\n').filter(Boolean)
}

async function nothingLost(work: Parameters<typeof underWrites>[0]): Promise<void> {
  expect((await underWrites(work)).lost).toEqual([])
}

beforeAll(life.clean)
afterAll(life.clean)

/** Each test goes on with what the one before has left. */
describe('the life of a cluster in three clusters', () => {
  test('it begins with an older etcd', async () => {
    expect(await karmadaNet(`etcd up ${cluster} --version ${old} ${flags()}`)).toSucceed()
    expect((await karmadaNet('etcd status')).stderr).toContain(`3 of 3 voters healthy`)
  })

  test('its certificates are renewed without a restart', async () => {
    const before = await restarts()
    await nothingLost(async () => {
      expect(await karmadaNet('etcd certs rotate')).toSucceed()
    })
    expect(await restarts()).toEqual(before)
  })

  test('its authority changes, cut off in the middle', async () => {
    await nothingLost(async () => {
      expect((await cutAt('etcd certs rotate --ca', /✓ New authority/, 2500)).code).toBe(130)
      await eventually(60, async () => expect(await karmadaNet('etcd certs rotate --ca')).toSucceed())
      expect(await karmadaNet('etcd certs rotate --ca --finish')).toSucceed()
    })
    expect((await karmadaNet('etcd certs status')).stderr).toBe('')
  })

  test('it is upgraded, cut off in the middle', async () => {
    await nothingLost(async () => {
      const images = async () => (await Promise.all(members.map(life.pod))).map(({ spec }) => spec.containers[0]?.image)
      const cut = await runUntil(`etcd upgrade ${target}`, /✓ Snapshot/, async ({ pid }) => {
        await eventually(60, async () => expect((await images()).join()).toContain(target))
        process.kill(pid, 'SIGINT')
      })
      expect(cut.code).toBe(130)
      await eventually(60, async () => expect(await karmadaNet(`etcd upgrade ${target}`)).toSucceed())
      expect(new Set(await images())).toEqual(new Set([`gcr.io/etcd-development/etcd:v${target}`]))
    })
    expect((await karmadaNet('etcd up')).stderr).toContain('Nothing to do')
  })

  test('a member whose disk was wiped is replaced, though the leader dies meanwhile', async () => {
    const leader = await life.leader()
    const wiped = members.find(name => name !== leader) ?? ''
    await nothingLost(async ledger => {
      await life.wipe(wiped)
      await eventually(60, async () =>
        expect((await karmadaNet('etcd status')).stdout).toMatch(
          new RegExp(`^${wiped} .*its machine has nothing`, 'm'),
        ),
      )
      expect(await karmadaNet('etcd up')).toFailWith('what it had stored is gone', {
        hint: `etcd member replace ${wiped}`,
      })
      await ledger.nextAck()
      const run = await runUntil(`etcd member replace ${wiped}`, /✓ .* added as learner/, () =>
        kubectl(
          siteOf(leader).name,
          `delete pod etcd-${cluster}-${leader}-0 -n ${namespace} --grace-period=0 --force --wait=false`,
        ),
      )
      if (run.code !== 0) {
        await eventually(90, async () => expect(await karmadaNet(`etcd member replace ${wiped}`)).toSucceed())
      }
      await life.healthy()
    })
    expect((await life.state()).members[wiped]?.generation).toBe(2)
  })

  test('it shrinks to one member, leaves nothing where the others were, and grows again', async () => {
    await nothingLost(async () => {
      expect(await karmadaNet('etcd scale 1')).toSucceed()
      const [stays] = (await life.state()).spec.members
      const gone = members.filter(name => name !== stays?.name)
      for (const member of gone) expect(await leftWith(member)).toEqual([])
      expect(await karmadaNet(`etcd scale 3 ${flags(gone)}`)).toSucceed()
    })
    expect((await karmadaNet('etcd up')).stderr).toContain('Nothing to do')
  })

  test('what is changed by hand does not come into force, and is told', async () => {
    const [, { name: context }] = sites
    const set = `statefulset etcd-${cluster}-m2 -n ${namespace}`
    const wrong = JSON.stringify([
      {
        op: 'replace',
        path: '/spec/template/spec/containers/0/image',
        value: `gcr.io/etcd-development/etcd:v${old}`,
      },
    ])
    const before = await restarts()
    await kubectl(context, `patch ${set} --type=json --patch=${wrong}`)
    await kubectl(context, `delete poddisruptionbudget etcd-${cluster} -n ${namespace}`)
    const run = await karmadaNet('etcd up')
    expect(run).toSucceed()
    expect(run.stderr).toMatch(/put right: PodDisruptionBudget, StatefulSet \.spec\.template\S+image by kubectl-patch/)
    expect((await karmadaNet('etcd up')).stderr).toContain('Nothing to do')
    expect(await restarts()).toEqual(before)
    await kubectl(context, `scale ${set} --replicas=0`)
    await kubectl(context, `delete secret etcd-${cluster}-m2 -n ${namespace}`)
    await eventually(60, async () => expect((await karmadaNet('etcd status')).stdout).toMatch(/^m2 +down .* stopped/m))
    expect(await karmadaNet('etcd up')).toSucceed()
    expect(await karmadaNet('etcd verify')).toSucceed()
  })

  test('without its kubelet a member serves on, and after a reboot it comes back with its data', async () => {
    const [, site] = sites
    const { members: before } = await life.state()
    await nothingLost(async ledger => {
      await site.stop('kubelet')
      await ledger.nextAck()
      expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy')
      await site.start('kubelet')
      await life.reboot('m2')
      await life.healthy()
    })
    expect(await karmadaNet('etcd up')).toSucceed()
    expect((await life.state()).members).toEqual(before)
  })

  test('a snapshot is restored on all, and a single survivor is enough', async () => {
    expect(await karmadaNet(`etcd snapshot save ${file('a.db')}`)).toSucceed()
    expect(await karmadaNet(`etcd snapshot restore ${file('a.db')} --yes`)).toSucceed()
    await using ledger = await life.write()
    await ledger.stop()
    await Promise.all(['m2', 'm3'].map(life.wipe))
    await eventually(90, async () => expect((await karmadaNet('etcd status')).stderr).toContain('no quorum'))
    expect(await karmadaNet(`etcd recover --from m1 --yes --out ${file('m1.db')}`)).toSucceed()
    expect((await ledger.report()).lost).toEqual([])
    expect(await karmadaNet('etcd verify')).toSucceed()
  })

  test('a kubeconfig that calls its clusters otherwise finds the right ones', async () => {
    const other = file('kubeconfig')
    const [a, b, c] = sites.map(({ name }) => name)
    const called: Record<string, string | undefined> = { [a ?? '']: b, [b ?? '']: a, [c ?? '']: 'elsewhere' }
    const text = await readFile(life.sandbox.kubeconfig, 'utf8')
    await writeFile(
      other,
      text.replace(/^( *(?:- )?(?:name|cluster|user|current-context): )(\S+)$/gm, (line, key, name) =>
        called[name] === undefined ? line : `${key}${called[name]}`,
      ),
    )
    const run = await karmadaNet('etcd member replace m2 --force', { kubeconfig: other })
    expect(run).toSucceed()
    expect(run.stderr).toContain(`m2 started on empty data`)
    expect(run.stderr).toContain(`context ${a}`)
    const wrong = await karmadaNet(`etcd up ${cluster} ${flags(['m1', 'm2'])}`, { kubeconfig: other })
    expect(wrong).toFailWith(`m1 runs in another cluster than the one that context ${a} leads to`)
    expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy')
  })

  test('taken down it leaves nothing, and what is not its own stays', async () => {
    const [{ name: context }] = sites
    await kubectl(context, `create configmap theirs -n ${namespace} --from-literal=a=b`)
    expect(await karmadaNet(`etcd down --etcd ${cluster} --yes --snapshot-dir ${life.folder}`)).toSucceed()
    expect(await leftWith('m1')).toEqual([`namespace/${namespace}`])
    expect(await kubectl(context, `get configmap theirs -n ${namespace} -o name`)).toBe('configmap/theirs\n')
    await kubectl(context, `delete namespace ${namespace}`)
    for (const member of ['m2', 'm3']) expect(await leftWith(member)).toEqual([])
  })
})

describe('one member in Kubernetes and two in Docker', () => {
  const [one, two] = life.sandbox.machines
  if (!one || !two) throw new Error('two machines with a Docker engine are needed')
  const docker = [one, two].map(each => `--member ${each.name}=${each.address},docker=${each.docker}`).join(' ')

  test('are one cluster', async () => {
    expect(await karmadaNet(`etcd up ${cluster} ${flags(['m1'])} ${docker}`)).toSucceed()
    expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy')
    expect(await karmadaNet('etcd verify')).toSucceed()
    expect(await karmadaNet('etcd certs rotate')).toSucceed()
    expect(await karmadaNet('etcd member replace m1 --force')).toSucceed()
    expect(await karmadaNet(`etcd member replace ${one.name} --force`)).toSucceed()
    expect((await karmadaNet('etcd up')).stderr).toContain('Nothing to do')
  })

  test('without the member in Kubernetes it is still found, and taken down', async () => {
    expect(await karmadaNet('etcd member remove m1 --force')).toSucceed()
    expect((await karmadaNet('etcd status')).stderr).toContain('2 of 2 voters healthy')
    expect(await karmadaNet(`etcd down --etcd ${cluster} --yes --skip-snapshot`)).toSucceed()
    expect(await leftWith('m1')).toEqual([])
  })
})
