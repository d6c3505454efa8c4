import { isIP } from 'node:net'
import { UserError } from '../../errors.ts'
import { parseSchedule } from '../backup/schedule.ts'
import type { Backup, ClusterSpec, MemberSpec, Ports, Tuning } from '../cluster.ts'
import { launchOf } from '../launch.ts'
import { compareVersions, defaultImage, defaultVersion } from '../versions.ts'

/** What somebody says of a cluster; all else has a default. */
export type Wanted = Pick<ClusterSpec, 'name' | 'members'> &
  Partial<Pick<ClusterSpec, 'version' | 'image' | 'imageRegistry' | 'keyType' | 'consumers'>> & {
    ports?: Partial<Ports> | undefined
    tuning?: Partial<Tuning> | undefined
    backup?: (Pick<Backup, 'schedule'> & Partial<Backup>) | undefined
  }

const defaults = {
  ports: { client: 2379, peer: 2380, metrics: 2381 },
  // 8 GiB is the most that etcd advises; it logs a warning above.
  tuning: { quotaBytes: 8 * 2 ** 30, heartbeatMs: 100, electionMs: 1000, snapshotCount: 10_000, extraArgs: [] },
  consumers: ['karmada-apiserver', 'karmada-aggregated-apiserver', 'karmada-search'],
}

/** What nobody says of scheduled backups. */
export const defaultBackup = { keep: 28, directory: '/var/backups/etcd' }

/** The spec with every default filled in. Throws UserError that names all that cannot be: `source` says where it came from. */
export function specFrom(wanted: Wanted, source = `etcd cluster ${wanted.name}`): ClusterSpec {
  const spec = withDefaults(wanted)
  refuse(source, contradictions(spec))
  return spec
}

/** Throws UserError with one line per problem; does nothing when there is none. */
export function refuse(source: string, problems: string[]): void {
  const [first, ...more] = problems
  if (first === undefined) return
  const text =
    more.length === 0 ? `${source}: ${first}` : [`${source} has ${problems.length} problems:`, ...problems].join('\n  ')
  throw new UserError(text)
}

function withDefaults(wanted: Wanted): ClusterSpec {
  const { name, members, version = defaultVersion, image = defaultImage, imageRegistry, backup } = wanted
  return {
    name,
    version: version.replace(/^v/, ''),
    image,
    ...(imageRegistry !== undefined && { imageRegistry }),
    keyType: wanted.keyType ?? 'ecdsa-p256',
    ports: { ...defaults.ports, ...given(wanted.ports) },
    tuning: { ...defaults.tuning, extraArgs: [], ...given(wanted.tuning) },
    consumers: wanted.consumers ?? [...defaults.consumers],
    ...(backup && { backup: { ...defaultBackup, ...given(backup), schedule: backup.schedule } }),
    members,
  }
}

/** Without the fields that are there but undefined: they must not hide a default. */
function given<T extends object>(value: T | undefined): Partial<T> {
  const entries = Object.entries(value ?? {}).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}

/** What no schema can say, one line per problem. Pure. */
function contradictions(spec: ClusterSpec): string[] {
  const { members } = spec
  return [
    ...(members.length === 0 ? ['there are no members'] : []),
    ...(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(spec.name)
      ? []
      : [`the name "${spec.name}" may have lower-case letters, digits and inner dashes only`]),
    ...versionProblems(spec.version),
    ...duplicates('members are called', members, ({ name }) => name.toLowerCase()),
    ...duplicates('members have the address', members, ({ address }) => address.toLowerCase()),
    ...members.flatMap(addressProblems),
    ...portProblems(spec.ports),
    ...tuningProblems(spec),
    ...backupProblems(spec),
    ...(spec.consumers.includes('admin') ? ['consumers: admin is always issued, and is for this plugin alone'] : []),
  ]
}

function versionProblems(version: string): string[] {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    return [`version "${version}": a version is MAJOR.MINOR.PATCH, as in ${defaultVersion}`]
  if (compareVersions(version, '3.5.0') < 0)
    return [`version ${version} is too old: 3.5.0 is the first that this plugin runs`]
  return compareVersions(version, '4.0.0') < 0 ? [] : [`there is no etcd ${version}: 3.x is what this plugin knows`]
}

function duplicates(say: string, members: MemberSpec[], keyOf: (member: MemberSpec) => string): string[] {
  const counts = Map.groupBy(members, keyOf)
  return [...counts].filter(([, same]) => same.length > 1).map(([key, same]) => `${same.length} ${say} ${key}`)
}

function addressProblems({ name, address, listen }: MemberSpec): string[] {
  return [
    ...(isAddress(address)
      ? []
      : [`member ${name}: the address "${address}" is neither an IP address nor a DNS name (no https://, no port)`]),
    ...(isUnspecified(address)
      ? [`member ${name}: nobody can dial ${address}; give the machine's address, and listen: ${address} beside it`]
      : []),
    ...(listen === undefined || isIP(listen) !== 0 ? [] : [`member ${name}: listen "${listen}" is not an IP address`]),
  ]
}

const isUnspecified = (address: string) => address === '0.0.0.0' || address === '::'

function isAddress(address: string): boolean {
  if (isIP(address) !== 0) return true
  // All digits and dots, and no IP address: a mistyped one.
  if (/^[\d.]+$/.test(address)) return false
  return /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(address)
}

function portProblems(ports: Ports): string[] {
  const all = [ports.client, ports.peer, ports.metrics]
  return new Set(all).size === all.length ? [] : [`ports: client, peer and metrics must differ (${all.join(', ')})`]
}

function tuningProblems(spec: ClusterSpec): string[] {
  const { heartbeatMs, electionMs, extraArgs } = spec.tuning
  const ours = ownFlags(spec)
  return [
    // etcd itself refuses to start otherwise.
    ...(electionMs < 5 * heartbeatMs
      ? [`tuning: electionMs ${electionMs} is less than 5 heartbeats of ${heartbeatMs} ms (${5 * heartbeatMs})`]
      : []),
    ...extraArgs
      .map(arg => arg.split('=', 1)[0] ?? '')
      .filter(flag => ours.has(flag))
      .map(flag => `tuning.extraArgs: ${flag} is set by this plugin`),
  ]
}

function backupProblems({ backup }: ClusterSpec): string[] {
  if (!backup) return []
  try {
    parseSchedule(backup.schedule)
    return []
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return [`backup: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`]
  }
}

/** The flags that every command line of ours has; with --config-file etcd would not read any of them. */
function ownFlags(spec: ClusterSpec): Set<string> {
  const member: MemberSpec = { name: 'm', address: '127.0.0.1', site: 'm', driver: { kind: 'docker' } }
  const plain = { ...spec, tuning: { ...spec.tuning, extraArgs: [] } }
  const launch = launchOf(
    { spec: plain, token: 't', formed: false, members: {} },
    member,
    { data: () => '/', pki: '/' },
    { state: 'new', members: [] },
  )
  const flags = [...launch.args, ...launch.bootstrapArgs].map(arg => arg.split('=', 1)[0] ?? '')
  return new Set([...flags, '--config-file'])
}
