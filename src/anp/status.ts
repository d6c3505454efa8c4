import type { Deployment } from '../karmada/agent.ts'
import { type Cluster, memberThroughKarmada } from '../karmada/cluster.ts'
import { notApplied, type Work, workRef } from '../karmada/work.ts'
import type { KubeClient } from '../kube/types.ts'
import { daysLeft } from '../pki/inspect.ts'
import { readAgent } from './agent-flags.ts'
import { firstExpiry, type TunnelCertificates } from './certificates.ts'
import { readCertificates } from './keys.ts'
import { proxyUrl, workName } from './names.ts'
import { agrees, isConnected } from './preflight.ts'
import { messageIn } from './said.ts'
import { connectedAgents, isReadyPod, podRef, serverPods, serverRef } from './servers.ts'

export interface TunnelStatus {
  member: string
  /** `none`: never connected, or disconnected. */
  tunnel: 'up' | 'down' | 'none'
  servers?: { ready: number; wanted: number }
  /** Agents connected to each proxy-server pod, by its own count. */
  agents?: { pod: string; connected: number }[]
  /** Do karmada-agent's flags say what Cluster.spec says? `unknown` while the member cannot be asked. */
  agentFlags?: 'match' | 'differ' | 'unknown'
  proxyURL?: { actual: string; expected: string }
  certificates?: { expire: string; daysLeft: number }
  /** Milliseconds of GET /readyz through the whole path. */
  latencyMs?: number
  note: string
}

interface Clients {
  host: KubeClient
  karmada: KubeClient
  namespace: string
  signal: AbortSignal
  now: Date
}

/** How long one part of the status may take: a broken tunnel must not hold up the others. Milliseconds. */
const patienceMs = 5_000

/** The state of one member's tunnel, read from the hub and through the tunnel itself. Never throws for what is broken: that is the status. */
export async function tunnelStatus(
  clients: Clients,
  cluster: Cluster,
  client: KubeClient | undefined,
): Promise<TunnelStatus> {
  const { host, karmada, namespace, now } = clients
  const signal = AbortSignal.any([clients.signal, AbortSignal.timeout(2 * patienceMs)])
  const member = cluster.metadata.name
  const deployment = await host.find<Deployment>(serverRef(member, namespace))
  if (!deployment) return notThere(cluster, namespace)

  const pods = await serverPods(host, member, namespace)
  const [agents, flags, latency, certificates, work] = await Promise.all([
    Promise.all(pods.map(async pod => ({ pod: pod.metadata.name, connected: await countAgents(host, pod, signal) }))),
    agentFlags(client ?? memberThroughKarmada(karmada, member), cluster, signal),
    readyz(memberThroughKarmada(karmada, member), signal),
    readCertificates(host, member, namespace),
    karmada.find<Work>(workRef(member, workName)),
  ])
  const expected = proxyUrl(member, namespace)
  const actual = cluster.spec.proxyURL ?? ''
  const wanted = deployment.spec?.replicas ?? 0
  const up = latency.ms !== undefined && actual === expected
  const status: TunnelStatus = {
    member,
    tunnel: up ? 'up' : 'down',
    servers: { ready: pods.filter(isReadyPod).length, wanted },
    agents,
    agentFlags: flags,
    proxyURL: { actual, expected },
    note: '',
  }
  if (latency.ms !== undefined) status.latencyMs = latency.ms
  if (isComplete(certificates)) {
    const expire = firstExpiry(certificates)
    status.certificates = { expire: expire.toISOString(), daysLeft: daysLeftOf(certificates, now) }
  }
  return { ...status, note: noteOf(status, work && notApplied(work), latency.error) }
}

const isComplete = (certificates: Partial<TunnelCertificates>): certificates is TunnelCertificates =>
  certificates.server !== undefined && certificates.agent !== undefined

const daysLeftOf = ({ server, agent }: TunnelCertificates, now: Date): number =>
  Math.min(daysLeft(server.certificate, now), daysLeft(agent.certificate, now))

function notThere(cluster: Cluster, namespace: string): TunnelStatus {
  const member = cluster.metadata.name
  const stranded = isConnected(cluster) || cluster.spec.proxyURL === proxyUrl(member, namespace)
  return {
    member,
    tunnel: stranded ? 'down' : 'none',
    note: stranded
      ? `proxy server is gone, Cluster still points to it: anp up ${member}`
      : cluster.spec.proxyURL
        ? `reached by another proxy: ${cluster.spec.proxyURL}`
        : `pull mode, not connected: anp up ${member}`,
  }
}

async function countAgents(host: KubeClient, pod: Parameters<typeof podRef>[0], signal: AbortSignal): Promise<number> {
  try {
    return await connectedAgents(host, podRef(pod), AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]))
  } catch {
    return 0
  }
}

async function agentFlags(
  member: KubeClient,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<'match' | 'differ' | 'unknown'> {
  try {
    const agent = await within(readAgent(member, cluster.metadata.name), signal)
    return agrees(agent, cluster) ? 'match' : 'differ'
  } catch {
    return 'unknown'
  }
}

async function readyz(member: KubeClient, signal: AbortSignal): Promise<{ ms?: number; error?: string }> {
  const started = performance.now()
  try {
    const { status, text } = await member.raw('/readyz', { signal, timeoutMs: patienceMs })
    if (status === 200) return { ms: Math.round(performance.now() - started) }
    return { error: messageIn(text) || `HTTP ${status}` }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

/** The signal ends the waiting, not the work. */
const within = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    }),
  ])

function noteOf(
  { member, agents = [], proxyURL, agentFlags, tunnel }: TunnelStatus,
  undelivered: string | undefined,
  error: string | undefined,
): string {
  if (undelivered) return `agent not applied: ${undelivered}`
  if (agents.length === 0) return 'no proxy server pod'
  if (agents.every(({ connected }) => connected === 0)) return 'no agent connected'
  if (proxyURL?.actual !== proxyURL?.expected)
    return `Cluster.spec.proxyURL is ${proxyURL?.actual || 'empty'}: anp up ${member}`
  if (agentFlags === 'differ') return `karmada-agent would crash at its next restart: anp up ${member}`
  if (agents.some(({ connected }) => connected === 0)) return 'a proxy server has no agent'
  return tunnel === 'up' ? '' : (error ?? '')
}
