import type { KubeClient } from '../kube/types.ts'
import type { EtcdClient } from './client/types.ts'
import type { ClusterSpec, ClusterState, MemberSpec } from './cluster.ts'
import type { Driver } from './drivers/driver.ts'
import type { Store } from './store/store.ts'

/** What the steps and checks of one etcd cluster act on. */
export interface EtcdWorld {
  /** As it is known now. Changed by `remember` alone. */
  state: ClusterState
  store: Store
  /** Writes the new state to the store, then makes it `state`. Steps call it before the change that it speaks of, so that a re-run finds its way. */
  remember(state: ClusterState): Promise<void>
  driverOf(member: MemberSpec): Driver
  /** With the admin's certificate; one per member, its connections kept. */
  clientOf(member: MemberSpec): EtcdClient
  signal: AbortSignal
  /** Milliseconds that any one wait may take. */
  timeoutMs: number
  /** Milliseconds of the wall clock; default `Date.now`. */
  now(): number
}

/** What it takes to look at a cluster and to read from it, with no store and no driver. */
export type Reachable = Pick<EtcdWorld, 'clientOf' | 'signal' | 'timeoutMs' | 'now'> & {
  state: { spec: Pick<ClusterSpec, 'name' | 'members' | 'ports'> }
}

/** What a world is made in. */
export interface Surroundings {
  env: Record<string, string | undefined>
  signal: AbortSignal
  /** Milliseconds of any one wait. */
  timeoutMs: number
  /** The client of a kubeconfig's context. */
  clientOf(context: string): KubeClient
}
