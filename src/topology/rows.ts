import { counted } from '../counted.ts'
import { isReady, readyCondition } from '../karmada/cluster.ts'
import { isReached } from './access.ts'
import type { FleetMember, FleetPlane, FleetRow, Installation, Probe, Role } from './types.ts'

const order: Role[] = ['host', 'plane', 'member', 'plain', 'unreachable']

/** One row per context, and one per member that no context leads to; hosts first, what cannot be reached last. Pure. */
export function rowsOf(probes: Probe[], planes: FleetPlane[]): FleetRow[] {
  const rows = [...probes.map(probe => contextRow(probe, planes)), ...planes.flatMap(membersWithoutContext)]
  return rows.sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role))
}

function contextRow(probe: Probe, planes: FleetPlane[]): FleetRow {
  const memberships = planes.flatMap(plane =>
    plane.members.filter(({ contexts }) => contexts.includes(probe.context)).map(member => ({ plane, member })),
  )
  const own = planes.find(({ contexts }) => contexts.includes(probe.context))
  const hosted = planes.filter(({ hosts }) => hosts.some(({ contexts }) => contexts.includes(probe.context)))
  const role = roleOf(probe, memberships.length > 0)
  // Pods only tell whether a cluster is a host: who is known to be something else needs none.
  const gaps = probe.gaps.filter(({ piece }) => role === 'plain' || piece !== 'pods')
  const notes = [
    ...(own === undefined ? [] : planeNotes(own, probe)),
    ...hostNotes(probe, hosted),
    ...memberships.flatMap(({ member }) => memberNotes(member, role)),
    ...gaps.map(({ text }) => text),
    ...(probe.note === undefined ? [] : [probe.note]),
  ]
  return {
    context: probe.context,
    server: probe.server,
    role,
    mode: memberships[0]?.member.mode,
    cluster: own?.name ?? (unique(memberships.map(({ member }) => member.name)).join(', ') || undefined),
    planes: unique([...hosted, ...memberships.map(({ plane }) => plane)].map(({ name }) => name)),
    installations: (own?.hosts.map(({ installation }) => installation) ?? probe.installations).map(summary),
    version: probe.kubernetesVersion,
    access: gaps.length > 0 ? 'partial' : probe.access,
    note: notes.join('; '),
  }
}

const summary = ({ namespace, installedBy, karmadaVersion }: Installation): FleetRow['installations'][number] => ({
  namespace,
  installedBy,
  karmadaVersion,
})

function roleOf(probe: Probe, isMember: boolean): Role {
  const { plane, installations } = probe
  if (!isReached(probe)) return 'unreachable'
  if (plane !== undefined) return 'plane'
  if (installations.length > 0) return 'host'
  return isMember ? 'member' : 'plain'
}

function planeNotes(plane: FleetPlane, { context }: Probe): string[] {
  const first = plane.contexts[0]
  if (context !== first) return [`same plane as ${first}`]
  const hosts = plane.hosts.length
  return [
    ...(plane.facts.clusters === undefined ? [] : [memberCount(plane.members)]),
    ...(hosts === 0 ? ['no context leads to its host'] : hosts > 1 ? [`runs on ${hosts} hosts`] : []),
  ]
}

function memberCount(members: FleetMember[]): string {
  if (members.length === 0) return 'no members'
  const modes = (['Pull', 'Push'] as const).map(mode => ({ mode, n: members.filter(m => m.mode === mode).length }))
  const parts = modes.filter(({ n }) => n > 0).map(({ mode, n }) => `${n} ${mode.toLowerCase()}`)
  return `${counted(members.length, 'member')}: ${parts.join(', ')}`
}

function hostNotes({ installations }: Probe, hosted: FleetPlane[]): string[] {
  const known = new Set(hosted.flatMap(({ hosts }) => hosts.map(({ installation }) => installationKey(installation))))
  return installations.map(installation => {
    const orphan = known.has(installationKey(installation)) ? '' : ' (no context leads to its plane)'
    return `${installation.namespace}, ${installedBy(installation)}${orphan}`
  })
}

const installationKey = ({ namespace, prefix }: Installation): string => `${namespace}/${prefix}`

/** `by karmadactl v1.18.2` */
function installedBy({ installedBy, karmadaVersion }: Pick<Installation, 'installedBy' | 'karmadaVersion'>): string {
  const by = installedBy === 'unknown' ? 'Karmada' : `by ${installedBy}`
  return karmadaVersion === undefined ? by : `${by} ${karmadaVersion}`
}

function memberNotes({ name, mode, cluster }: FleetMember, role: Role): string[] {
  const also = role === 'member' ? [] : [`also ${mode.toLowerCase()} member ${name}`]
  if (isReady(cluster)) return also
  const reason = readyCondition(cluster)?.reason
  return [...also, reason === undefined ? 'not ready' : `not ready: ${reason}`]
}

function membersWithoutContext(plane: FleetPlane): FleetRow[] {
  return plane.members
    .filter(({ contexts }) => contexts.length === 0)
    .map(member => ({
      role: 'member',
      mode: member.mode,
      cluster: member.name,
      planes: [plane.name],
      installations: [],
      version: member.cluster.status?.kubernetesVersion,
      access: 'no context',
      note: [
        ...memberNotes(member, 'member'),
        ...(member.mode === 'Pull' ? ['hub-only delivery will be used'] : []),
      ].join('; '),
    }))
}

const unique = (names: string[]): string[] => [...new Set(names)]
