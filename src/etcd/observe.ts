import { whyReplace } from '../pki/inspect.ts'
import { certificatesIn } from '../pki/pem.ts'
import { lookAtBackups } from './backup/look.ts'
import { authorityFiles, namesOf } from './certificates.ts'
import { servedCertificate } from './client/served.ts'
import type { MemberSpec } from './cluster.ts'
import { lookForCorruption } from './corruption.ts'
import type { Found } from './drivers/driver.ts'
import type { StatusFacts } from './findings.ts'
import { type ClusterStatus, clusterStatus } from './status.ts'
import { alarmsIn, type ClusterView, lookAt } from './view.ts'
import type { EtcdWorld } from './world.ts'

/** How long one part may take: what is broken must not hold up the rest. Milliseconds. */
const patienceMs = 3000

/** The status of a cluster, from its members, the certificates they show, and the machines of those that are silent. Throws only the signal's reason. */
export async function readStatus(world: EtcdWorld): Promise<ClusterStatus> {
  const { spec } = world.state
  const [view, certificates, backup] = await Promise.all([
    lookAt(world),
    certificatesOf(world),
    within(patienceMs, lookAtBackups(world)),
  ])
  const corrupt = lookForCorruption(world, view).catch(() => undefined)
  return clusterStatus(view, {
    cluster: spec.name,
    certificates,
    machines: await machinesOf(world, view),
    alarms: alarmsIn(view),
    comparison: await within(patienceMs, corrupt),
    quotaBytes: spec.tuning.quotaBytes,
    backup,
    now: new Date(world.now()),
  })
}

async function certificatesOf(world: EtcdWorld): Promise<StatusFacts['certificates']> {
  const authority = (await world.store.read(authorityFiles.certificate)) ?? ''
  const read = world.state.spec.members.map(
    async spec => [spec.name, await certificateOf(world, spec, authority)] as const,
  )
  return new Map((await Promise.all(read)).flatMap(([name, found]) => (found ? [[name, found]] : [])))
}

/** Undefined: none was shown; that it does not answer is said elsewhere. */
async function certificateOf({ state, signal, now }: EtcdWorld, member: MemberSpec, authorities: string) {
  const limits = { timeoutMs: patienceMs, signal }
  const served = await servedCertificate(member.address, state.spec.ports.client, undefined, limits).catch(
    () => undefined,
  )
  if (!served) return undefined
  const certificate = served.toString()
  const need = { names: namesOf(member), minDaysLeft: Number.NEGATIVE_INFINITY, now: new Date(now()) }
  const reasons = certificatesIn(authorities).map(authority => whyReplace({ certificate }, { ...need, authority }))
  const error = reasons.includes(undefined) ? undefined : reasons[0]
  return { expires: served.validToDate, ...(error !== undefined && { error }) }
}

/** Why a silent member is silent, where its machine can be asked: files on this one tell nothing of it. */
async function machinesOf(world: EtcdWorld, { members }: ClusterView): Promise<StatusFacts['machines']> {
  const asked = members
    .filter(({ spec, status }) => !status && world.driverOf(spec).acts)
    .map(async ({ spec }) => [spec.name, await within(patienceMs, inspect(world, spec))] as const)
  return new Map((await Promise.all(asked)).flatMap(([name, found]) => (found ? [[name, found]] : [])))
}

async function inspect(world: EtcdWorld, spec: MemberSpec): Promise<Found | undefined> {
  try {
    return await world.driverOf(spec).inspect()
  } catch {
    return undefined
  }
}

/** Goes on without it; a driver cannot be cut short. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
