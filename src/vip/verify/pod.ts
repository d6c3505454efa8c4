import { randomBytes } from 'node:crypto'
import podYaml from '../../../manifests/vip/verify-pod.yaml'
import { parseManifest, pick } from '../../kube/manifest.ts'
import type { KubeClient } from '../../kube/types.ts'
import { labels, name } from '../names.ts'
import { imageOf, type Pod } from '../objects.ts'
import { answerOf, runToEnd } from '../pod-run.ts'
import type { Installation } from '../world.ts'
import type { Passage } from './report.ts'

/** An image may have to be pulled first. Milliseconds. */
const patienceMs = 90_000

/** What connects from a pod's network on one node. Pure. */
export function verifyPod(
  { settings, asked }: Pick<Installation, 'settings' | 'asked'>,
  node: string,
  id: string,
): Pod {
  const pod = pick<Pod>(parseManifest(podYaml), 'Pod')
  pod.metadata.name = `${name}-verify-${id}`
  pod.metadata.labels = { ...pod.metadata.labels, ...labels('vip-verify') }
  pod.spec.nodeName = node
  const [container] = pod.spec.containers
  if (!container) throw new Error('manifest has no container to connect from')
  container.image = imageOf(asked)
  const { vip, port, tlsServerName } = settings
  const given = [`--vip=${vip}`, `--port=${port}`, `--server-name=${tlsServerName}`]
  container.args = [...given, ...(container.args ?? []).filter(arg => /^--(ca|out)=/.test(arg))]
  return pod
}

/** Throws `UserError` where the pod does not come to its end. */
export async function passagesFromPod(
  client: KubeClient,
  found: Installation,
  node: string,
  signal: AbortSignal,
): Promise<Passage[]> {
  const pod = verifyPod(found, node, randomBytes(5).toString('hex'))
  return answerOf<Passage[]>(await runToEnd(client, pod, { timeoutMs: patienceMs, signal }))
}
