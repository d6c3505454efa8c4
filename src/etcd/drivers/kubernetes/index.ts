import type { KubeClient } from '../../../kube/types.ts'
import type { MemberSpec } from '../../cluster.ts'
import type { Driver, Found } from '../driver.ts'
import { createBackups } from './backups.ts'
import { deliver, deliveredIn } from './files.ts'
import { etcdutl } from './helper.ts'
import { mend, restart, start, stop } from './life.ts'
import { nodeFacts } from './node.ts'
import { type Owner, paths, pinnedNode, runningOf } from './objects.ts'
import { runs } from './pod-state.ts'
import { discardBefore, remove } from './remove.ts'
import { lastSaid, logs } from './said.ts'
import { findForeign, findPod, findSecret, findStatefulSet, podRef, type Site } from './world.ts'

export interface KubernetesOptions {
  client: KubeClient
  signal: AbortSignal
  /** Milliseconds of any one wait. */
  timeoutMs: number
  /** As `--image-registry`. */
  imageRegistry?: string | undefined
}

/** One member of etcd on a node of a Kubernetes cluster. Touches nothing before its first call. */
export function createKubernetesDriver(cluster: string, member: MemberSpec, options: KubernetesOptions): Driver {
  const { driver } = member
  if (driver.kind !== 'kubernetes') throw new Error(`${member.name} is a member on ${driver.kind}`)
  const { client, signal, timeoutMs, imageRegistry } = options
  const owner: Owner = { cluster, member: member.name, driver, imageRegistry }
  const site: Site = { client, owner, member, signal, timeoutMs }
  return {
    where: `context ${driver.context}${driver.node === undefined ? '' : `, node ${driver.node}`}`,
    paths,
    acts: true,
    inspect: () => inspect(site),
    deliver: files => deliver(site, files),
    start: launch => start(site, launch),
    mend: launch => mend(site, launch),
    restart: () => restart(site),
    stop: () => stop(site),
    etcdutl: (launch, args, snapshot) => etcdutl(site, launch, args, snapshot),
    discardBefore: generation => discardBefore(site, generation),
    backups: createBackups(site),
    remove: ({ keepData }) => remove(site, keepData),
    logs: lines => logs(site, lines),
  }
}

/** Of the kubelet, where the member's folder is gone, and of etcd, which may not make its generation's anew. */
const wiped = /hostPath type check failed|generation-\d+: permission denied/

async function inspect(site: Site): Promise<Found> {
  const { client, owner, signal } = site
  const [foreign, existing, pod, secret] = await Promise.all([
    findForeign(site),
    findStatefulSet(site),
    findPod(site),
    findSecret(site),
  ])
  const template = pod ?? existing?.spec.template
  const node = pod?.spec?.nodeName ?? (existing && pinnedNode(existing.spec.template))
  const { namespace } = owner.driver
  const [facts, said] = await Promise.all([
    node === undefined ? {} : nodeFacts(client, node, { namespace, name: podRef(site).name }, signal),
    pod && !runs(pod) && !pod.metadata.deletionTimestamp ? lastSaid(site, pod) : undefined,
  ])
  return {
    state: pod && runs(pod) ? 'running' : existing && !(said && wiped.test(said)) ? 'stopped' : 'absent',
    launch: template && runningOf(template)?.launch,
    delivered: deliveredIn(secret),
    foreign,
    said,
    ...facts,
  }
}
