import type { V1Pod } from '@kubernetes/client-node'
import { isConnectionError } from '../kube/errors.ts'
import type { KubeClient, KubeObject, Wire } from '../kube/types.ts'
import { namespace, selectorOf } from './names.ts'
import type { NodeReport } from './report.ts'

export type AgentPod = KubeObject & Wire<V1Pod>

/** What is known of one node: its agent's report, or why there is none. */
export type NodeNews = { node: string; pod: string } & (
  | { report: NodeReport; error?: undefined }
  | { report?: undefined; error: string }
)

/** Questions at the same time: each goes through one API server. */
const atOnce = 16
const patienceMs = 5000

/** The agents' pods, by node; of several the one that is not about to go. */
export async function agentPods(client: KubeClient, signal: AbortSignal): Promise<Map<string, AgentPod>> {
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: selectorOf('vip') }
  const pods = await client.list<AgentPod>(ref, { signal })
  const staying = (pod: AgentPod) => (pod.metadata.deletionTimestamp === undefined ? 1 : 0)
  const sorted = pods.toSorted((a, b) => staying(a) - staying(b))
  return new Map(sorted.flatMap(pod => (pod.spec?.nodeName ? [[pod.spec.nodeName, pod]] : [])))
}

/** Asks every agent through its API server: no way to the nodes is needed. In the order of the nodes' names. Throws only for `signal`. */
export async function askAgents(
  client: KubeClient,
  pods: ReadonlyMap<string, AgentPod>,
  statusPort: number,
  signal: AbortSignal,
): Promise<NodeNews[]> {
  const queue = [...pods].toSorted(([a], [b]) => a.localeCompare(b))
  const news: NodeNews[] = []
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [node, pod] = next
      news.push({ node, pod: pod.metadata.name, ...(await ask(client, pod, statusPort, signal)) })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return news.toSorted((a, b) => a.node.localeCompare(b.node))
}

async function ask(
  client: KubeClient,
  { metadata, status }: AgentPod,
  statusPort: number,
  signal: AbortSignal,
): Promise<{ report: NodeReport } | { error: string }> {
  if (status?.phase !== 'Running') return { error: waitingFor(status) }
  const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}:${statusPort}/proxy/status`
  try {
    const { status: code, text } = await client.raw(path, { signal, timeoutMs: patienceMs })
    return code === 200 ? { report: JSON.parse(text) as NodeReport } : { error: said(text) || `HTTP ${code}` }
  } catch (error) {
    signal.throwIfAborted()
    return { error: `its agent does not answer${whyNot(error)}` }
  }
}

function whyNot(error: unknown): string {
  if (!isConnectionError(error)) return `: ${error instanceof Error ? error.message : error}`
  return error.failure === 'timeout' ? ` within ${patienceMs / 1000}s` : `: ${error.detail}`
}

/** Why a pod does not run yet, in the words of its containers. */
function waitingFor(status: AgentPod['status']): string {
  const states = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  for (const { name, state, lastState } of states) {
    const ended = state?.terminated?.exitCode ? state.terminated : lastState?.terminated
    if (ended && ended.exitCode !== 0) return `${name}: ${lastLine(ended.message) || `ended with ${ended.exitCode}`}`
    if (state?.waiting?.message) return `${name}: ${state.waiting.reason}: ${state.waiting.message}`
  }
  return `its agent is ${status?.phase ?? 'not there'}`
}

const lastLine = (text = ''): string =>
  text
    .trim()
    .split('\n')
    .find(line => line.startsWith('error: '))
    ?.slice(7) ?? ''

/** Of a Status, its message; else the first line. */
function said(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? '')
  } catch {
    return text.split('\n')[0] ?? ''
  }
}
