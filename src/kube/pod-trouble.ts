import type { CoreV1Event, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import type { KubeClient, KubeObject, Wire } from './types.ts'

type Pod = KubeObject & Wire<V1Pod>
type Event = KubeObject & Wire<CoreV1Event>
type ContainerStatus = Wire<V1ContainerStatus>

const timeoutMs = 5000
const lastEvents = 3
const lastLogLines = 5

/**
 * Why pods are not ready, in a few lines each: state, last events, last log lines; empty when all are.
 * For the message of a wait that expired, so it never throws: what cannot be read is left out.
 */
export async function podTrouble(client: KubeClient, namespace: string, labelSelector: string): Promise<string> {
  const pods = await quietly(
    client.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector }, { timeoutMs }),
  )
  if (!pods) return ''
  if (!pods.length) return `no pod with ${labelSelector} in namespace ${namespace}`
  const reports = await Promise.all(pods.filter(pod => !isReady(pod)).map(pod => report(client, pod)))
  return reports.flat().join('\n')
}

async function report(client: KubeClient, pod: Pod): Promise<string[]> {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const broken = statuses.find(status => !status.ready && !completed(status))
  const [events, log] = await Promise.all([eventsOf(client, pod), broken ? logOf(client, pod, broken) : []])
  return [
    `pod ${pod.metadata.name}: ${stateOf(pod, broken)}`,
    ...events.map(text => `  event: ${text}`),
    ...log.map(text => `  ${broken?.name}: ${text}`),
  ]
}

function isReady(pod: Pod): boolean {
  if (pod.status?.phase === 'Succeeded') return true
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

const completed = (status: ContainerStatus) => status.state?.terminated?.exitCode === 0

function stateOf(pod: Pod, broken: ContainerStatus | undefined): string {
  const waiting = broken?.state?.waiting
  if (waiting?.reason) return `${broken?.name} ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`
  const terminated = broken?.state?.terminated ?? broken?.lastState?.terminated
  if (terminated) return `${broken?.name} ended with exit code ${terminated.exitCode} (${terminated.reason})`
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (unscheduled) return `${unscheduled.reason}: ${unscheduled.message}`
  return broken ? `${broken.name} is not ready` : (pod.status?.phase ?? 'Pending')
}

/** Its last warnings, `REASON: message` each; what cannot be read is left out. */
export async function eventsOf(client: KubeClient, { metadata }: KubeObject): Promise<string[]> {
  const ref = {
    apiVersion: 'v1',
    kind: 'Event',
    namespace: metadata.namespace,
    fieldSelector: `involvedObject.uid=${metadata.uid}`,
  }
  const events = (await quietly(client.list<Event>(ref, { timeoutMs }))) ?? []
  const time = (event: Event) => event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''
  return events
    .filter(event => event.type !== 'Normal')
    .sort((a, b) => time(a).localeCompare(time(b)))
    .slice(-lastEvents)
    .map(event => `${event.reason}: ${oneLine(event.message ?? '')}`)
}

async function logOf(client: KubeClient, { metadata }: Pod, container: ContainerStatus): Promise<string[]> {
  // A container that waits for its next start has said in the last one why it died.
  const previous = container.state?.waiting && container.restartCount > 0 ? 'true' : undefined
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log`
  const query = { container: container.name, tailLines: String(lastLogLines), previous }
  const answer = await quietly(client.raw(path, { query, timeoutMs }))
  if (answer?.status !== 200) return []
  return answer.text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(oneLine)
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim().slice(0, 300)

async function quietly<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch {
    return undefined
  }
}
