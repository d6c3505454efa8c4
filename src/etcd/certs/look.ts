import { X509Certificate } from 'node:crypto'
import { backsUpInClusters, backupConsumer } from '../backup/plan.ts'
import { admin, authorityFiles, clientFiles } from '../certificates.ts'
import { servedCertificate } from '../client/served.ts'
import type { Clock } from '../clocks.ts'
import type { ClusterSpec, MemberSpec } from '../cluster.ts'
import type { Found, MemberFiles } from '../drivers/driver.ts'
import type { EtcdWorld } from '../world.ts'
import type { Signers } from './judge.ts'
import { nextFiles, type Rotation, readRotation } from './rotation.ts'

export type Role = 'server' | 'peer'
export const leafRoles = ['server', 'peer'] as const

export const portOf = (role: Role, { ports }: ClusterSpec): number => (role === 'server' ? ports.client : ports.peer)

/** Certificates of one member, as they are found. */
export interface MemberCertificates {
  member: MemberSpec
  found: Pick<Found, 'state' | 'clockSkewMs'> & { delivered?: MemberFiles | undefined }
  served: Record<Role, X509Certificate | Error>
}

export interface CertificatesView {
  rotation?: Rotation | undefined
  signers: Signers
  members: MemberCertificates[]
  clients: { consumer: string; certificate?: X509Certificate | undefined }[]
}

/** Looks at all certificates: on the wire, on the machines, in the store. Changes nothing; throws only the signal's reason. */
export async function lookAtCertificates(world: EtcdWorld): Promise<CertificatesView> {
  const [rotation, signers, members, clients] = await Promise.all([
    readRotation(world.store),
    signersOf(world),
    Promise.all(world.state.spec.members.map(member => lookAtMember(world, member))),
    Promise.all(
      consumersOf(world).map(async consumer => ({
        consumer,
        certificate: parsed(await world.store.read(clientFiles(consumer).certificate)),
      })),
    ),
  ])
  world.signal.throwIfAborted()
  return { rotation, signers, members, clients }
}

/** Everybody who is issued a client certificate, this plugin first. */
export const consumersOf = ({ state }: EtcdWorld): string[] => [
  ...new Set([admin, ...state.spec.consumers, ...(backsUpInClusters(state.spec) ? [backupConsumer] : [])]),
]

/** Those of them that somebody has to hand their files to. */
export const othersOf = (world: EtcdWorld): string[] =>
  consumersOf(world).filter(consumer => consumer !== admin && consumer !== backupConsumer)

export const clocksIn = ({ members }: CertificatesView): Clock[] =>
  members.map(({ member, found }) => ({ name: member.name, skewMs: found.clockSkewMs }))

/** The cluster's authorities: one, or in the middle of a change two. */
async function signersOf({ store }: EtcdWorld): Promise<Signers> {
  const [current, next] = await Promise.all([store.read(authorityFiles.certificate), store.read(nextFiles.certificate)])
  return [
    ...(current === undefined
      ? []
      : [{ name: next === undefined ? 'authority' : 'old authority', certificate: current }]),
    ...(next === undefined ? [] : [{ name: 'new authority', certificate: next }]),
  ]
}

async function lookAtMember(world: EtcdWorld, member: MemberSpec): Promise<MemberCertificates> {
  const [found, server, peer] = await Promise.all([
    world
      .driverOf(member)
      .inspect()
      .catch((): Found => ({ state: 'absent' })),
    served(world, member, 'server'),
    served(world, member, 'peer'),
  ])
  return { member, found, served: { server, peer } }
}

/** The certificate, or why there is none. */
export async function served(world: EtcdWorld, member: MemberSpec, role: Role): Promise<X509Certificate | Error> {
  const port = portOf(role, world.state.spec)
  const limits = { signal: world.signal, timeoutMs: Math.min(5000, world.timeoutMs) }
  return servedCertificate(member.address, port, undefined, limits).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  )
}

export function parsed(text: string | undefined): X509Certificate | undefined {
  try {
    return text === undefined ? undefined : new X509Certificate(text)
  } catch {
    return undefined
  }
}
