import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { env, stderr } from 'node:process'
import { adminIdentity } from '../../../src/etcd/certificates.ts'
import { type ClusterState, clientUrl } from '../../../src/etcd/cluster.ts'
import { createWorld, readState } from '../../../src/etcd/index.ts'
import { createSecretsStore } from '../../../src/etcd/store/secrets.ts'
import type { Store } from '../../../src/etcd/store/store.ts'
import { waitForHealthy, waitForLeader } from '../../../src/etcd/waits.ts'
import type { EtcdWorld } from '../../../src/etcd/world.ts'
import { createClient } from '../../../src/kube/client.ts'
import { loadKubeconfig } from '../../../src/kube/kubeconfig-files.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import type { Site } from '../../sandbox/index.ts'
import { openWorld, type World } from '../plugin.ts'
import { type Ledger, type LedgerReport, sentence, startLedger } from './ledger.ts'

export const namespace = 'karmada-net-etcd'
export const ours = 'app.kubernetes.io/managed-by=kubectl-karmada-net'

export interface Pod extends KubeObject {
  metadata: { name: string; uid: string }
  spec: { containers: { image: string }[] }
  status: { containerStatuses: { restartCount: number; ready: boolean }[] }
}

/** Members m1, m2, m3 of etcd on the nodes of three clusters on one network. */
export interface KubernetesTestWorld extends Pick<World, 'sandbox' | 'karmadaNet' | 'runUntil' | 'kubectl' | 'read'> {
  sites: [Site, Site, Site]
  /** The plugin's state folder; KARMADA_NET_STATE of every command. */
  folder: string
  /** `NAME=ADDRESS,context=CONTEXT` of m1, m2 or m3. */
  flagOf(member: string): string
  siteOf(member: string): Site
  storeOf(): Store
  /** Throws where nothing is remembered. */
  state(): Promise<ClusterState>
  /** The cluster as a command would see it now. */
  look(): Promise<EtcdWorld>
  leader(): Promise<string>
  healthy(): Promise<void>
  pod(member: string): Promise<Pod>
  /** The member's folder on its node, as this process sees it. */
  dataOf(member: string): string
  /** As after a lost disk: the data are gone, and the pod has to begin anew. */
  wipe(member: string): Promise<void>
  /** As a node that reboots: no process of the member and no kubelet is left; then the kubelet comes back. */
  reboot(member: string): Promise<void>
  /** Writes to all that are members now; the caller ends it: `await using`. */
  write(): Promise<Ledger>
  /** Writes while `work` runs and a moment longer, then reads everything back. */
  underWrites(work: (ledger: Ledger) => Promise<void>): Promise<LedgerReport>
  /** Everything of the cluster, on all nodes. */
  clean(): Promise<void>
}

export async function openKubernetesWorld(cluster: string): Promise<KubernetesTestWorld> {
  const { sandbox } = await openWorld()
  const folder = join(sandbox.dir, 'etcd-state', cluster)
  const { karmadaNet, runUntil, kubectl, read } = await openWorld({ KARMADA_NET_STATE: folder })
  // The node has an etcd of its own on 127.0.0.1:2379.
  const [first, second, third] = sandbox.sites.filter(({ role }) => role !== 'pull')
  if (!first || !second || !third) throw new Error('three clusters on one network are needed')
  const sites: KubernetesTestWorld['sites'] = [first, second, third]
  const kubeconfig = await loadKubeconfig({ env, path: sandbox.kubeconfig })
  const clients = new Map(sites.map(({ name }) => [name, createClient(kubeconfig, name, { env })]))
  const clientOf = (context: string) => {
    const client = clients.get(context)
    if (!client) throw new Error(`no context ${context}`)
    return client
  }
  const siteOf = (member: string) => {
    const site = sites[Number(member.slice(1)) - 1]
    if (!site) throw new Error(`no site of ${member}`)
    return site
  }
  const storeOf = () =>
    createSecretsStore(
      sites.map(({ name: context }) => ({ context, client: clientOf(context) })),
      namespace,
      cluster,
    )
  const podName = (member: string) => `etcd-${cluster}-${member}-0`

  const world: KubernetesTestWorld = {
    ...{ sandbox, karmadaNet, runUntil, kubectl, read, sites, folder, siteOf, storeOf },
    flagOf: member => `${member}=${siteOf(member).address},context=${siteOf(member).name}`,
    async state() {
      const state = await readState(storeOf())
      if (!state) throw new Error(`nothing is remembered of ${cluster}`)
      return state
    },
    async look() {
      const signal = AbortSignal.timeout(280_000)
      return createWorld(storeOf(), await world.state(), { env, signal, timeoutMs: 60_000, clientOf })
    },
    leader: async () => (await waitForLeader(await world.look())).spec.name,
    healthy: async () => waitForHealthy(await world.look()),
    pod: member => read<Pod>(siteOf(member).name, `pod ${podName(member)} -n ${namespace}`),
    dataOf: member => siteOf(member).path(`/var/lib/karmada-net/etcd/${cluster}/${member}`),
    async wipe(member) {
      await rm(world.dataOf(member), { recursive: true })
      await kubectl(siteOf(member).name, `delete pod ${podName(member)} -n ${namespace} --wait=false`)
    },
    async reboot(member) {
      const site = siteOf(member)
      await site.stop('kubelet')
      const ctr = ['ctr', '--namespace', 'k8s.io']
      const label = `labels."io.kubernetes.pod.name"==${podName(member)}`
      const { stdout } = await site.exec([...ctr, 'containers', 'list', '--quiet', label])
      for (const id of stdout.split('\n').filter(Boolean)) {
        // Of an earlier restart there is only the container left.
        await site.exec([...ctr, 'tasks', 'kill', '--signal', 'SIGKILL', '--all', id]).catch(() => undefined)
      }
      await site.start('kubelet')
    },
    async write() {
      const { spec } = await world.state()
      const endpoints = spec.members.map(member => clientUrl(member, spec))
      const ledger = startLedger({ endpoints, identity: () => adminIdentity(storeOf()), putsPerSecond: 200 })
      await ledger.nextAck()
      return ledger
    },
    async underWrites(work) {
      await using ledger = await world.write()
      await work(ledger)
      await ledger.nextAck()
      const report = await ledger.report()
      stderr.write(`  ${sentence(report)}\n`)
      return report
    },
    async clean() {
      const store = storeOf()
      const state = await readState(store)
      if (state) {
        const { driverOf } = await world.look()
        await Promise.all(state.spec.members.map(member => driverOf(member).remove({ keepData: false })))
        await store.remove()
      }
      // Something of somebody else's may have kept it.
      await Promise.all(sites.map(({ name }) => kubectl(name, `delete namespace ${namespace} --ignore-not-found`)))
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
    },
  }
  return world
}
