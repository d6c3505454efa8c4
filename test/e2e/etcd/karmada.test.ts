import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { versions } from '../../setup/components.ts'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

/** A Karmada by `karmadactl init` beside the sandbox's own, in the push member's cluster, on an etcd of ours. */
const world = await openEtcdWorld('external')
const { sandbox, karmadaNet } = world
const cluster = sandbox.member('push1')
const pki = '/etc/karmada-external-etcd'
const prefix = '/registry/karmada'
const exported = await mkdtemp(join(tmpdir(), 'karmada-net-e2e-'))
const kubectl = (words: string) =>
  cluster.exec(['kubectl', '--kubeconfig=/etc/karmada/karmada-apiserver.config', ...words.split(' ')])

beforeAll(async () => {
  await world.up()
})

afterAll(async () => {
  await cluster.exec(['karmadactl', 'deinit', '--force', '--kubeconfig=/etc/kubernetes/admin.conf'])
  await world.clean()
  await rm(exported, { recursive: true, force: true })
})

test('karmadactl init takes what the plugin hands out', async () => {
  expect(await karmadaNet(`etcd certs export karmada-apiserver --etcd external --out ${exported}`)).toSucceed()
  await mkdir(cluster.path(pki), { recursive: true, mode: 0o700 })
  for (const file of ['ca.crt', 'tls.crt', 'tls.key']) {
    await writeFile(cluster.path(join(pki, file)), await readFile(join(exported, file)), { mode: 0o600 })
  }
  const servers = world.machines.slice(0, 3).map(({ address }) => `https://${address}:2379`)
  await cluster.exec([
    ...['karmadactl', 'init', '--kubeconfig=/etc/kubernetes/admin.conf'],
    ...['--crds=/run/karmada-net/bin/crds.tar.gz', `--kube-image-tag=${versions.kubernetes}`],
    ...[`--karmada-apiserver-advertise-address=${cluster.address}`, '--wait-component-ready-timeout=180'],
    ...[`--external-etcd-servers=${servers.join(',')}`, `--external-etcd-key-prefix=${prefix}`],
    ...[`--external-etcd-ca-cert-path=${pki}/ca.crt`, `--external-etcd-client-cert-path=${pki}/tls.crt`],
    `--external-etcd-client-key-path=${pki}/tls.key`,
  ])
  const { stdout } = await cluster.exec(['kubectl', '-n', 'karmada-system', 'get', 'pods', '-o', 'name'])
  expect(stdout).toContain('karmada-apiserver')
  expect(stdout).not.toContain('etcd')
  expect((await kubectl('get --raw /readyz')).stdout).toBe('ok')
})

test('whose keys they are can be seen', async () => {
  const run = await karmadaNet('etcd keys --etcd external')
  expect(run).toSucceed()
  expect(run.stdout).toMatch(new RegExp(`^${prefix} +\\d+ +\\S+ \\S+ +Karmada`, 'm'))
})

test('the control plane outlives the leader of its etcd', async () => {
  await kubectl('create namespace before')
  const leader = await world.leader()
  await world.cut(leader, 'everything')
  await eventually(60, async () => {
    await kubectl('create configmap kept -n before --from-literal=a=b')
  })
  expect((await kubectl('get configmap kept -n before -o name')).stdout.trim()).toBe('configmap/kept')
  await world.heal(leader)
})
