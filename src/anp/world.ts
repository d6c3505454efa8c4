import type { KubeClient, KubeObject } from '../kube/types.ts'
import type { Admitted } from './plan.ts'
import type { Address, Delivery, HostSettings, TunnelSettings } from './settings.ts'

/** What the steps of one plane act on. */
export interface World {
  host: KubeClient
  /** The host cluster in the user's words, as its context. */
  hostName: string
  karmada: KubeClient
  /** The control plane's URL as the user's context has it. */
  planeServer: string
  settings: HostSettings
  admitted: Admitted
  /** Found by the preflight. */
  nodePort: number
  /** What members dial, found by the preflight; a load balancer's is known only once it has been given one. */
  gateway: Address | undefined
  /** This run made the gateway. */
  gatewayIsNew: boolean
  /** Members that the preflight found unfit, and why; the others go on. */
  refused: Map<string, Error>
  signal: AbortSignal
  /** For each wait. */
  timeoutMs: number
  /** Replace what a person set. */
  force: boolean
  now(): Date
  /** Gives the user manifests that somebody else will apply. */
  handOver(objects: KubeObject[]): Promise<void>
}

/** One member to be connected. */
export interface MemberJob {
  member: string
  deliver: Delivery
  /** Where a context leads to it. */
  client: KubeClient | undefined
  apiServer: Address
  memberNamespace: string
}

/** Stands for an address that nobody knows yet; only a dry run meets it. */
const unknownGateway: Address = { host: 'address-of-the-load-balancer.invalid', port: 8091 }

export const tunnelSettings = ({ settings, gateway }: World, job: MemberJob): TunnelSettings => ({
  ...settings,
  member: job.member,
  gateway: gateway ?? unknownGateway,
  apiServer: job.apiServer,
  memberNamespace: job.memberNamespace,
  deliver: job.deliver,
})

/** Throws what the preflight found against this member. */
export function throwIfRefused({ refused }: World, member: string): void {
  const error = refused.get(member)
  if (error) throw error
}
