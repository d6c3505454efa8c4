import type { CheckResult } from '../../checks/check.ts'
import type { KeyPair } from '../../pki/certificate.ts'
import type { Found } from '../drivers/driver.ts'
import type { ClusterView } from '../view.ts'
import type { EtcdWorld } from '../world.ts'

/** What the checks of one cluster look at. */
export interface VerifyWorld {
  etcd: EtcdWorld
  /** Taken when the checks began. */
  view: ClusterView
  /** One PEM, or several while the authority changes. */
  authority: string
  /** A certificate that must be refused. */
  foreign: KeyPair
  /** What a member's machine says; asked once. */
  machine(member: string): Promise<Found>
}

export const program = 'kubectl karmada-net'

/** Runs it and answers how many milliseconds it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: string }> {
  const began = performance.now()
  const value = await work()
  const elapsed = performance.now() - began
  return { value, ms: `${elapsed < 10 ? Number(elapsed.toFixed(1)) : Math.round(elapsed)} ms` }
}

export const passed = (detail?: string): CheckResult => ({ ok: true, detail })
