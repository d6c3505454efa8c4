import type { KubeClient } from '../kube/types.ts'
import type { Admitted } from './plan.ts'
import type { RecordedHost } from './record.ts'
import type { World } from './world.ts'

/** What a command knows before anything was looked at. */
export interface Opening {
  host: KubeClient
  hostName: string
  karmada: KubeClient
  namespace: string
  /** Of the host cluster's Services; default `cluster.local`. */
  clusterDomain?: string | undefined
  components: { component: string; podLabels: Record<string, string> }[]
  signal: AbortSignal
  timeoutMs: number
  force: boolean
  /** Default: what a gateway has that nobody was asked about. */
  settings?: RecordedHost | undefined
  handOver?: World['handOver'] | undefined
}

/** For a host cluster that has no gateway yet. */
export const defaultSettings: RecordedHost = {
  expose: 'nodeport',
  address: undefined,
  replicas: 2,
  imageRegistry: undefined,
}

/** Karmada's components that talk to members, and so may use a tunnel. */
const talkToMembers = [
  'karmada-aggregated-apiserver',
  'karmada-controller-manager',
  'karmada-metrics-adapter',
  'karmada-search',
]

/** The world of the steps, as far as it is known before the preflight. */
export function openWorld(opening: Opening): World {
  const { host, hostName, karmada, signal, timeoutMs, force } = opening
  return {
    host,
    hostName,
    karmada,
    planeServer: karmada.server,
    settings: {
      namespace: opening.namespace,
      clusterDomain: opening.clusterDomain ?? 'cluster.local',
      ...(opening.settings ?? defaultSettings),
    },
    admitted: admittedPods(opening.components),
    nodePort: 0,
    gateway: undefined,
    gatewayIsNew: false,
    refused: new Map(),
    signal,
    timeoutMs,
    force,
    now: () => new Date(),
    handOver: opening.handOver ?? (async () => undefined),
  }
}

/** The pods' labels as they are on this host: each installer has its own. */
export function admittedPods(components: Opening['components']): Admitted {
  const found = components
    .filter(({ component }) => talkToMembers.includes(component))
    .map(({ podLabels }) => podLabels)
  return found.length > 0 ? found : [{ app: 'karmada-aggregated-apiserver' }]
}
