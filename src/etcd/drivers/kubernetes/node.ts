import type { V1Node } from '@kubernetes/client-node'
import { UserError } from '../../../errors.ts'
import { isForbidden } from '../../../kube/errors.ts'
import type { KubeClient, KubeObject, Wire } from '../../../kube/types.ts'
import type { KubernetesSpec, MemberSpec } from '../../cluster.ts'

export type Node = KubeObject & Wire<V1Node>

/**
 * The node that a member belongs on: the one that was named, else the one that has its address; undefined: the scheduler chooses. Pure.
 * Throws UserError for a node that is not there, or whose address it is not while another node has it.
 */
export function nodeFor(nodes: Node[], { name, address, listen = address }: MemberSpec, driver: KubernetesSpec) {
  const owner = nodes.find(node => addressesOf(node).includes(listen))?.metadata.name
  if (driver.node === undefined) return owner
  const named = nodes.find(({ metadata }) => metadata.name === driver.node)
  if (!named) {
    throw new UserError(`context ${driver.context} has no node "${driver.node}"`, {
      hint: `its nodes: ${nodes.map(({ metadata }) => metadata.name).join(', ')}`,
    })
  }
  if (owner !== undefined && owner !== driver.node) {
    const own = addressesOf(named).join(', ')
    throw new UserError(`${listen}, the address of ${name}, is node ${owner}'s; node ${driver.node} has ${own}`, {
      hint: `node=${owner}`,
    })
  }
  return driver.node
}

const addressesOf = ({ status }: Node): string[] =>
  (status?.addresses ?? []).filter(({ type }) => type !== 'Hostname').map(({ address }) => address)

/** As `nodeFor`, with the cluster's nodes; who may not list nodes is trusted. */
export async function chooseNode(
  client: KubeClient,
  member: MemberSpec,
  driver: KubernetesSpec,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return nodeFor(await client.list<Node>({ apiVersion: 'v1', kind: 'Node' }, { signal }), member, driver)
  } catch (error) {
    if (isForbidden(error)) return driver.node
    throw error
  }
}

/** What is known of a node that no longer reports; undefined: it does. Pure. */
export function silent(node: Node | undefined): string | undefined {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready')
  if (!node || ready?.status !== 'Unknown') return undefined
  return `node ${node.metadata.name} does not report: ${ready.message ?? ready.reason}`
}

export interface NodeFacts {
  clockSkewMs?: number | undefined
  freeBytes?: number | undefined
}

interface Summary {
  node?: { fs?: { availableBytes?: number } }
  pods?: { podRef: { name: string; namespace: string }; volume?: { name: string; availableBytes?: number }[] }[]
}

/**
 * The node's clock and space, as its kubelet tells them. Empty where that may not be asked (`nodes/proxy`) or does not answer.
 * A folder of the node is taken to lie where the kubelet's own files lie.
 */
export async function nodeFacts(
  client: KubeClient,
  node: string,
  pod: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<NodeFacts> {
  const kubelet = async (path: string) => {
    const sentMs = Date.now()
    const answer = await client
      .raw(`/api/v1/nodes/${node}/proxy/${path}`, { signal, timeoutMs: 5000 })
      .catch(() => undefined)
    return answer?.status === 200 ? { ...answer, sentMs, receivedMs: Date.now() } : undefined
  }
  const [health, summary] = await Promise.all([kubelet('healthz'), kubelet('stats/summary')])
  signal.throwIfAborted()
  const date = Date.parse(health?.headers['date'] ?? '')
  return {
    clockSkewMs: health === undefined || Number.isNaN(date) ? undefined : skewOf(date, health),
    freeBytes: summary && freeBytesIn(JSON.parse(summary.text) as Summary, pod),
  }
}

/** A Date header is cut to seconds, and was written at some moment between the two: what lies within that is no difference. Milliseconds. */
export function skewOf(dateMs: number, { sentMs, receivedMs }: { sentMs: number; receivedMs: number }): number {
  if (dateMs > receivedMs) return dateMs - receivedMs
  if (dateMs + 1000 < sentMs) return dateMs + 1000 - sentMs
  return 0
}

export function freeBytesIn(summary: Summary, pod: { namespace: string; name: string }): number | undefined {
  const stats = summary.pods?.find(({ podRef }) => podRef.name === pod.name && podRef.namespace === pod.namespace)
  const volume = stats?.volume?.find(({ name }) => name === 'data')
  return volume?.availableBytes ?? summary.node?.fs?.availableBytes
}
