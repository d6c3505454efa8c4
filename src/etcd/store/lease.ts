import { isConflict, isNotFound, isStatus } from '../../kube/errors.ts'
import type { KubeClient, KubeObject, ObjectRef } from '../../kube/types.ts'

/** A lock whose holder is not heard of for so long is anybody's. */
const leaseSeconds = 30
export const renewMs = 10_000
const timeoutMs = 5000

export interface Lease extends KubeObject {
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; acquireTime?: string; renewTime?: string }
}

export interface Held {
  client: KubeClient
  lease: Lease
}

/** Who has it instead, and for how long at least. */
export interface Taken {
  holder: string
  endsInMs: number
}

export interface LeaseTerms {
  client: KubeClient
  namespace: string
  name: string
  labels: Record<string, string>
  holder: string
}

const refOf = ({ namespace, name }: Pick<LeaseTerms, 'namespace' | 'name'>): ObjectRef => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace,
  name,
})

const pathOf = ({ namespace = '', name }: ObjectRef) =>
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`

/** Takes a Lease that nobody holds. Throws what the server says otherwise. */
export async function takeLease(terms: LeaseTerms): Promise<Held | Taken> {
  const { client, holder } = terms
  const ref = refOf(terms)
  const now = microTime()
  const spec = { holderIdentity: holder, leaseDurationSeconds: leaseSeconds, acquireTime: now, renewTime: now }
  const answer = await client.raw(pathOf(ref), { timeoutMs })
  if (answer.status === 404) {
    const { apiVersion, kind, name, namespace } = ref
    const metadata = { name, ...(namespace !== undefined && { namespace }), labels: terms.labels }
    try {
      return { client, lease: await client.create<Lease>({ apiVersion, kind, metadata, spec }, { timeoutMs }) }
    } catch (error) {
      if (isStatus(error, 409)) return takeLease(terms)
      throw error
    }
  }
  // Says why it may not be read.
  if (answer.status !== 200) await client.get(ref, { timeoutMs })
  const found = JSON.parse(answer.text) as Lease
  const taken = heldBy(found, Date.parse(answer.headers['date'] ?? '') || Date.now())
  if (taken) return taken
  const version = found.metadata.resourceVersion
  const test = { op: 'test' as const, path: '/metadata/resourceVersion', value: version }
  try {
    const lease = await client.jsonPatch<Lease>(ref, [test, { op: 'add', path: '/spec', value: spec }], { timeoutMs })
    return { client, lease }
  } catch (error) {
    if (isConflict(error) || isStatus(error, 422)) return takeLease(terms)
    throw error
  }
}

/**
 * Undefined: nobody. By the server's clock alone: it has dated the last change, and says what time it is. The holder's own clock may differ.
 * Pure.
 */
export function heldBy({ spec = {}, metadata }: Lease, serverNowMs: number): Taken | undefined {
  const { holderIdentity, renewTime, leaseDurationSeconds = leaseSeconds } = spec
  if (!holderIdentity) return undefined
  const changes = (metadata.managedFields ?? []).map(({ time }) => Date.parse(time ?? '')).filter(Number.isFinite)
  const renewedMs = changes.length > 0 ? Math.max(...changes) : Date.parse(renewTime ?? '') || 0
  const endsInMs = renewedMs + leaseDurationSeconds * 1000 - serverNowMs
  return endsInMs > 0 ? { holder: holderIdentity, endsInMs } : undefined
}

/** Answers the Lease as it is now. Throws when somebody else has changed it. */
export async function renewLease({ client, lease }: Held): Promise<Held> {
  const { name, namespace = '', resourceVersion } = lease.metadata
  const renewed = await client.jsonPatch<Lease>(
    refOf({ name, namespace }),
    [
      { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'replace', path: '/spec/renewTime', value: microTime() },
    ],
    { timeoutMs },
  )
  return { client, lease: renewed }
}

/** Deletes it as long as it is ours. */
export async function releaseLease({ client, lease }: Held): Promise<void> {
  const { name, namespace = '', uid, resourceVersion } = lease.metadata
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } })
  const headers = { 'Content-Type': 'application/json' }
  await client.raw(pathOf(refOf({ name, namespace })), { method: 'DELETE', headers, body, timeoutMs })
}

/** Lost for good, not for a moment. */
export const isLost = (error: unknown): boolean => isConflict(error) || isStatus(error, 422) || isNotFound(error)

/** RFC 3339 with microseconds, as Leases have it. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z')
