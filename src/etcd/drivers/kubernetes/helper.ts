import { createHash } from 'node:crypto'
import { UserError } from '../../../errors.ts'
import { isForbidden } from '../../../kube/errors.ts'
import { exec } from '../../../kube/exec.ts'
import { podTrouble, waitFor, waitForGone } from '../../../kube/wait.ts'
import type { Launch } from '../driver.ts'
import { etcdutlName, etcdutlPod, prepareCommand, shellName, shellPod, snapshotPath } from './helper-pod.ts'
import { ensureNamespace } from './namespace.ts'
import { chooseNode } from './node.ts'
import { claimOf, type Pod, pinnedNode, runningOf } from './objects.ts'
import { findPod, findStatefulSet, helperRef, type Site, waiting } from './world.ts'

/** See `Driver.etcdutl`. */
export async function etcdutl(
  site: Site,
  launch: Launch,
  args: (snapshotPath: string) => string[],
  snapshot: AsyncIterable<Uint8Array>,
): Promise<string> {
  const { client, owner, signal } = site
  if (await findPod(site)) throw new UserError(`member ${owner.member} still runs: its data is in use`)
  await ensureNamespace(client, owner.driver.namespace, waiting(site))
  const node = await nodeOf(site)
  if (node === undefined) {
    throw new UserError(`no node is known for member ${owner.member}, which has not run yet`, {
      hint: `name it: --member ${owner.member}=${site.member.address},context=${owner.driver.context},node=NODE`,
    })
  }
  const claim = claimOf(owner, launch.generation)
  if (claim) await client.apply(claim, { signal })
  const { image, generation } = launch
  const existing = await findStatefulSet(site)
  const fresh = (existing && runningOf(existing.spec.template)?.launch.generation) !== generation
  const pod = etcdutlPod(owner, node, { image, generation, args: args(snapshotPath), fresh })
  const { log } = await withPod(site, pod, etcdutlName, async () => {
    await waitFor<Pod>(client, helperRef(site), receiving, waiting(site))
    await send(site, snapshot)
  })
  return log
}

/**
 * Makes the folder for a life that begins; answers the node that it is on. Throws UserError where there are data already.
 */
export async function prepare(site: Site, hostPath: string, generation: number, node: string | undefined) {
  const { owner } = site
  const folder = `${owner.cluster}/${owner.member}/generation-${generation}`
  const command = prepareCommand(`/data/${folder}`, `${hostPath.replace(/\/+$/, '')}/${folder}`)
  const { pod } = await withPod(site, shellPod(owner, node, hostPath, command), shellName)
  return pod.spec?.nodeName ?? node
}

const receiving = (pod: Pod | undefined): true | string => {
  const state = pod?.status?.initContainerStatuses?.find(({ name }) => name === 'receive')?.state
  return state?.running ? true : (state?.waiting?.reason ?? 'the pod that takes the snapshot is not on its node yet')
}

/** The file gets its name once it has arrived whole. */
async function send(site: Site, snapshot: AsyncIterable<Uint8Array>): Promise<void> {
  const { name: pod, namespace = '' } = helperRef(site)
  const sha = createHash('sha256')
  async function* hashed() {
    for await (const chunk of snapshot) {
      sha.update(chunk)
      yield chunk
    }
  }
  const shell = (script: string, stdin?: AsyncIterable<Uint8Array>) => {
    const command = ['sh', '-c', script]
    return exec(site.client, { namespace, pod, container: 'receive', command }, site.signal, stdin)
  }
  const part = `${snapshotPath}.part`
  const [arrived] = (await shell(`cat > ${part} && sha256sum ${part}`, hashed())).split(' ')
  if (arrived !== sha.digest('hex')) throw new Error(`the snapshot did not arrive whole in pod ${pod}`)
  await shell(`mv ${part} ${snapshotPath}`)
}

/** Runs a command of busybox on the member's node, with the folder that all members' data lies in at `/data`. False: no node has any. */
export async function inFolder(site: Site, hostPath: string, command: string[]): Promise<boolean> {
  const node = await nodeOf(site)
  if (node === undefined || !(await exists(site, node))) return false
  await withPod(site, shellPod(site.owner, node, hostPath, command), shellName)
  return true
}

/** What lay on a node that was taken out of its cluster is nobody's to remove. */
async function exists({ client, signal }: Site, name: string): Promise<boolean> {
  try {
    return (await client.find({ apiVersion: 'v1', kind: 'Node', name }, { signal })) !== undefined
  } catch (error) {
    if (isForbidden(error)) return true
    throw error
  }
}

async function nodeOf(site: Site): Promise<string | undefined> {
  const existing = await findStatefulSet(site)
  const pinned = existing && pinnedNode(existing.spec.template)
  return pinned ?? chooseNode(site.client, site.member, site.owner.driver, site.signal)
}

/** From its start to its end; answers what one container said. What an earlier run left is removed first, and this one in any case. */
async function withPod(
  site: Site,
  pod: Pod,
  speaker: string,
  work = () => Promise.resolve(),
): Promise<{ log: string; pod: Pod }> {
  const { client, owner, signal } = site
  const remove = async (options = waiting(site)) => {
    if (await client.delete(helperRef(site), { signal: options.signal }))
      await waitForGone(client, helperRef(site), options)
  }
  await remove()
  try {
    await client.create(pod, { signal })
    await work()
    const ran = await waitFor<Pod>(client, helperRef(site), ended, waiting(site))
    const log = await logOf(site, speaker)
    if (ran.status?.phase === 'Succeeded') return { log, pod: ran }
    throw new FailedError(
      `member ${owner.member} in context ${owner.driver.context}: ${log.trim() || `${speaker} failed`}`,
    )
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UserError) || error instanceof FailedError) throw error
    const trouble = await podTrouble(client, owner.driver.namespace, helperSelector(pod))
    throw new UserError([error.message, trouble].filter(Boolean).join('\n'), { cause: error })
  } finally {
    // Also after Ctrl-C, when the signal would refuse it.
    await remove({ timeoutMs: 30_000, signal: undefined }).catch(() => undefined)
  }
}

/** It ran, and has said itself what was wrong. */
class FailedError extends UserError {}

const helperSelector = ({ metadata }: Pod) =>
  Object.entries(metadata.labels ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

function ended(pod: Pod | undefined): true | string {
  const phase = pod?.status?.phase
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const statuses = [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])]
  const waitsFor = statuses.find(({ state }) => state?.waiting)?.state?.waiting
  return waitsFor?.message ?? waitsFor?.reason ?? `its pod is ${phase ?? 'not there yet'}`
}

async function logOf(site: Site, container: string): Promise<string> {
  const { namespace, name } = helperRef(site)
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log`
  const answer = await site.client.raw(path, { query: { container }, signal: site.signal })
  return answer.status === 200 ? answer.text : ''
}
