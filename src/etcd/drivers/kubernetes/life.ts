import { UserError } from '../../../errors.ts'
import { podTrouble, waitFor, waitForGone, waitForList } from '../../../kube/wait.ts'
import type { Launch } from '../driver.ts'
import { prepare } from './helper.ts'
import { ensureNamespace } from './namespace.ts'
import { chooseNode, type Node, silent } from './node.ts'
import {
  budgetOf,
  claimOf,
  type Pod,
  pinnedNode,
  type Running,
  runningOf,
  type StatefulSet,
  statefulSetOf,
} from './objects.ts'
import { applyOurs } from './ours.ts'
import { exitCode, mustGo, runs, started, type Wanted } from './pod-state.ts'
import { lastSaid } from './said.ts'
import {
  findForeign,
  findPod,
  findStatefulSet,
  podRef,
  type Site,
  selectorOf,
  statefulSetRef,
  waiting,
} from './world.ts'

/** See `Driver.start`. */
export async function start(site: Site, launch: Launch): Promise<boolean> {
  const { client, owner, member, signal } = site
  const foreign = await findForeign(site)
  if (foreign !== undefined) throw new UserError(foreign, { hint: 'delete it, or name another namespace' })
  await ensureNamespace(client, owner.driver.namespace, waiting(site))
  const [existing, pod] = await Promise.all([findStatefulSet(site), findPod(site)])
  const before = existing && runningOf(existing.spec.template)
  const known =
    (existing && pinnedNode(existing.spec.template)) ?? (await chooseNode(client, member, owner.driver, signal))
  const stays = pod !== undefined && runs(pod) && !mustGo(pod, { launch, bootstrapArgs: [] })
  // Those for the first start are read only while there is no data: they stay, so that nothing is left to be restarted.
  const wanted = { launch, bootstrapArgs: (stays ? before?.bootstrapArgs : undefined) ?? launch.bootstrapArgs }
  await applyAround(site, launch)
  const node = await beginOn(site, launch, before?.launch, known ?? pod?.spec?.nodeName)
  await apply(site, { ...wanted, node, replicas: 1 })
  if (stays) return false
  await newPod(site, wanted, node)
  return true
}

/** See `Driver.mend`. */
export async function mend(site: Site, launch: Launch): Promise<string[]> {
  const [existing, pod] = await Promise.all([findStatefulSet(site), findPod(site)])
  if (!pod || !runs(pod) || mustGo(pod, { launch, bootstrapArgs: [] })) return []
  const { bootstrapArgs = launch.bootstrapArgs } = runningOf(pod) ?? {}
  const node = (existing && pinnedNode(existing.spec.template)) ?? pod.spec?.nodeName
  return [...(await applyAround(site, launch)), ...(await apply(site, { launch, bootstrapArgs, node, replicas: 1 }))]
}

/** What stands beside the StatefulSet. Answers what was not as it should be. */
async function applyAround(site: Site, { generation }: Pick<Launch, 'generation'>): Promise<string[]> {
  const { owner } = site
  const mended: string[] = []
  for (const object of [budgetOf(owner), claimOf(owner, generation)]) {
    if (object) mended.push(...(await applyOurs(site, object)).mended)
  }
  return mended
}

/** A generation that has not run yet gets its folder, on the node that is known or found for it. */
async function beginOn(
  site: Site,
  { generation }: Launch,
  before: Running['launch'] | undefined,
  node: string | undefined,
) {
  const { storage } = site.owner.driver
  if (!('hostPath' in storage) || before?.generation === generation) return node
  return prepare(site, storage.hostPath, generation, node)
}

/** A pod that its one node has no place for: taken ports, say, or no memory. Milliseconds. */
const placingMs = 15_000

/** Until the pod is one as wanted; its node is remembered as soon as it has one. */
async function newPod(site: Site, wanted: Wanted, node: string | undefined): Promise<void> {
  const { owner } = site
  const before = await findPod(site)
  const old = before && mustGo(before, wanted) ? before.metadata.uid : undefined
  if (old !== undefined) {
    await deletePod(site)
    await wait(site, pod => (pod?.metadata.uid === old ? 'the pod before it is still stopping' : true))
  }
  const onNode = (pod: Pod | undefined) => (pod?.spec?.nodeName ? true : started(pod, wanted, old))
  const placed = await wait(site, onNode, node === undefined ? site.timeoutMs : placingMs)
  const chosen = placed?.spec?.nodeName
  if (node === undefined && chosen !== undefined) await apply(site, { ...wanted, node: chosen, replicas: 1 })
  const pod = await wait(site, pod => started(pod, wanted, old))
  if (!pod || exitCode(pod) === undefined) return
  throw new UserError(`etcd of ${owner.member} ends as soon as it starts, ${await lastSaid(site, pod)}`)
}

/** Throws UserError with what stands in the way when the time is over. */
async function wait(
  site: Site,
  check: (pod: Pod | undefined) => true | string,
  timeoutMs = site.timeoutMs,
): Promise<Pod | undefined> {
  let found: Pod | undefined
  const options = { ...waiting(site), timeoutMs: Math.min(timeoutMs, site.timeoutMs) }
  const ref = podRef(site)
  try {
    await waitForList<Pod>(
      site.client,
      {
        apiVersion: ref.apiVersion,
        kind: ref.kind,
        namespace: ref.namespace,
        fieldSelector: `metadata.name=${ref.name}`,
      },
      ([pod]) => {
        found = pod
        return check(pod)
      },
      options,
    )
    return found
  } catch (error) {
    site.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    const trouble = await podTrouble(site.client, site.owner.driver.namespace, selectorOf(site))
    throw new UserError([error.message, trouble].filter(Boolean).join('\n'), { cause: error })
  }
}

async function apply(site: Site, running: Running): Promise<string[]> {
  const { client, owner } = site
  const { object, mended } = await applyOurs(site, statefulSetOf(owner, running))
  // A pod deleted before the controller has seen this would come back as it was.
  const generation = object.metadata.generation ?? 0
  await waitFor<StatefulSet>(
    client,
    statefulSetRef(site),
    found =>
      (found?.status?.observedGeneration ?? 0) >= generation
        ? true
        : 'the StatefulSet is not yet seen by its controller',
    waiting(site),
  )
  return mended
}

/** See `Driver.restart`. */
export async function restart(site: Site): Promise<void> {
  const existing = await findStatefulSet(site)
  const running = existing && runningOf(existing.spec.template)
  if (!existing || !running) throw nothingOf(site)
  const before = await findPod(site)
  if (existing.spec.replicas === 0) {
    await apply(site, { ...running, node: pinnedNode(existing.spec.template), replicas: 1 })
  }
  if (before) await deletePod(site)
  await wait(site, pod => started(pod, running, before?.metadata.uid))
}

const nothingOf = ({ owner }: Site) =>
  new UserError(`context ${owner.driver.context} has no member ${owner.member} of etcd ${owner.cluster}`, {
    hint: 'kubectl karmada-net etcd up',
  })

/** See `Driver.stop`. */
export async function stop(site: Site): Promise<boolean> {
  const existing = await findStatefulSet(site)
  const pod = await findPod(site)
  const running = existing && runningOf(existing.spec.template)
  if (existing && running && existing.spec.replicas !== 0) {
    await apply(site, { ...running, node: pinnedNode(existing.spec.template) ?? pod?.spec?.nodeName, replicas: 0 })
  } else if (existing && !running) {
    // Changed by hand so far that what it runs cannot be read.
    await site.client.mergePatch(statefulSetRef(site), { spec: { replicas: 0 } }, { signal: site.signal })
  }
  if (!pod) return false
  await gone(site, pod)
  return runs(pod)
}

async function deletePod(site: Site): Promise<void> {
  const pod = await findPod(site)
  if (!pod) return
  await site.client.delete(podRef(site), { signal: site.signal })
  await canStop(site, pod)
}

async function gone(site: Site, pod: Pod): Promise<void> {
  await canStop(site, pod)
  await waitForGone(site.client, podRef(site), waiting(site))
}

/** A node that does not report cannot say that etcd has ended: that is told at once, not after the whole patience. */
async function canStop({ client, signal }: Site, { spec, metadata }: Pod): Promise<void> {
  if (!spec?.nodeName) return
  const ref = { apiVersion: 'v1', kind: 'Node', name: spec.nodeName }
  // Who may not read nodes waits instead.
  const node = await client.find<Node>(ref, { signal }).catch(() => undefined)
  signal.throwIfAborted()
  const trouble = silent(node)
  if (trouble === undefined) return
  throw new UserError(`pod ${metadata.name} cannot be stopped: ${trouble}`, {
    hint: `bring ${spec.nodeName} back; if it is gone for good: kubectl delete node ${spec.nodeName}`,
  })
}
