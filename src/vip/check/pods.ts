import { randomBytes } from 'node:crypto'
import podYaml from '../../../manifests/vip/check-pod.yaml'
import { UserError } from '../../errors.ts'
import { inParallel } from '../../in-parallel.ts'
import { StatusError } from '../../kube/errors.ts'
import { parseManifest, pick } from '../../kube/manifest.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Progress } from '../../steps/step.ts'
import { labels, name } from '../names.ts'
import { imageOf, type Pod } from '../objects.ts'
import { answerOf, removeEnded, runToEnd } from '../pod-run.ts'
import type { Installation } from '../world.ts'
import type { NodeLook } from './look.ts'

/** Nodes at the same time. */
const atOnce = 20
/** Milliseconds. */
const patienceMs = 180_000

/** What was found on each node, by its name; a text says why it could not be looked at. */
export type Looks = Map<string, NodeLook | string>

type Wanted = Pick<Installation, 'settings' | 'asked'>

/** What looks at one node. Pure. */
export function checkPod({ settings, asked }: Wanted, node: string, id: string): Pod {
  const pod = pick<Pod>(parseManifest(podYaml), 'Pod')
  pod.metadata.name = `${name}-check-${id}`
  pod.metadata.labels = { ...pod.metadata.labels, ...labels('vip-check') }
  pod.spec.nodeName = node
  const [container] = pod.spec.containers
  if (!container) throw new Error('manifest has no container to look with')
  container.image = imageOf(asked)
  const given = [`--vip=${settings.vip}`, `--port=${settings.port}`, `--status-port=${settings.statusPort}`]
  container.args = [...(container.args ?? []).filter(arg => /^--(root|out)=/.test(arg)), ...given]
  return pod
}

/** Looks at nodes by a pod on each, which is removed. Throws only for `signal` and where the API server cannot be asked. */
export async function lookAtNodes(
  client: KubeClient,
  wanted: Wanted,
  nodes: readonly string[],
  { signal, progress }: { signal: AbortSignal; progress: Progress },
): Promise<Looks> {
  await removeEnded(client, 'vip-check', signal)
  const looks: Looks = new Map()
  progress(`0 of ${nodes.length} nodes`)
  await inParallel(nodes, atOnce, async node => {
    looks.set(node, await lookAt(client, checkPod(wanted, node, randomBytes(5).toString('hex')), signal))
    progress(`${looks.size} of ${nodes.length} nodes`)
  })
  return looks
}

async function lookAt(client: KubeClient, pod: Pod, signal: AbortSignal): Promise<NodeLook | string> {
  try {
    return answerOf<NodeLook>(await runToEnd(client, pod, { timeoutMs: patienceMs, signal }))
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UserError || error instanceof StatusError)) throw error
    return sameEverywhere(error.message, pod.metadata.name)
  }
}

/** Without what is another on each node, so that many with the same trouble are seen to have it. Pure. */
export const sameEverywhere = (text: string, podName: string): string =>
  text.replaceAll(podName, `${name}-check`).replaceAll(/ (?:read|write) (?:tcp|udp) \S+->\S+:/g, '')
