import { formatBytes } from './bytes.ts'
import { renewBeforeDays } from './certificates.ts'
import { EtcdError, UnreachableError } from './client/errors.ts'
import { type Alarm, hexId } from './client/types.ts'
import { quorumOf } from './cluster.ts'
import type { BackupFound, Found } from './drivers/driver.ts'
import type { Comparison } from './same-data.ts'
import { compareVersions } from './versions.ts'
import type { ClusterView, MemberView } from './view.ts'

/** What `etcd status` knows beside what the members say of themselves. */
export interface StatusFacts {
  cluster: string
  /** By member: the server certificate that it shows, or why it could not be seen. */
  certificates: ReadonlyMap<string, { expires?: Date; error?: string }>
  /** By member, of those that do not answer: what its machine says. */
  machines: ReadonlyMap<string, Pick<Found, 'state' | 'said'>>
  alarms: readonly Alarm[]
  /** While a CORRUPT alarm is raised; undefined then: the data could not be compared. */
  comparison?: Comparison | undefined
  /** Of the spec: members below 3.6 do not tell theirs. */
  quotaBytes: number
  /** Undefined: not looked for. */
  backup?: BackupFacts | undefined
  now: Date
}

/** Backups on a schedule, as far as they can be seen from here. */
export interface BackupFacts {
  newest?: Date | undefined
  where?: string | undefined
  overdueAfterMs?: number | undefined
  /** Those that are taken beside members: each must have its own. Undefined: this machine takes them. */
  sites?: BackupSite[] | undefined
}

export interface BackupSite {
  context: string
  /** Undefined: it takes none. */
  found?: BackupFound | undefined
}

/** Something that is not as it should be. */
export interface Finding {
  /** Undefined: of the cluster. */
  member?: string
  /** Short: it stands in a table. */
  note: string
  /** The command that looks further or cures it, or what to do by hand. */
  next?: string
}

const program = 'kubectl karmada-net'
const rotate = `${program} etcd certs rotate`
const dayMs = 86_400_000
const mebibyte = 2 ** 20
/** etcd itself calls a member too far behind from 5000 on; a learner is measured by its promotion. */
const lagToMention = 1000

/** Everything wrong with a cluster, the worst first: the order of the list below is the order of urgency. Pure. */
export function findings(view: ClusterView, facts: StatusFacts): Finding[] {
  const members = (look: (member: MemberView) => Finding | undefined) =>
    view.members.flatMap(member => look(member) ?? [])
  return [
    ...quorum(view),
    ...corrupt(view, facts),
    ...noSpace(view, facts),
    ...members(member => down(member, facts)),
    ...members(member => unusable(member, facts)),
    ...members(member => absent(member, view)),
    ...view.strangers.map(stranger),
    ...members(member => unready(member, facts)),
    ...members(learner),
    ...members(member => full(member, facts)),
    ...members(member => ending(member, facts)),
    ...members(member => older(member, view)),
    ...members(member => behind(member, view)),
    ...backup(facts),
    ...members(fragmented),
  ]
}

function quorum({ voters, hasQuorum, members }: ClusterView): Finding[] {
  if (hasQuorum) return []
  const silent = members.filter(({ status }) => !status).map(({ spec }) => spec.name)
  const answering = members.find(({ status }) => status && !status.isLearner)
  const lost = answering
    ? `; if their data is lost: ${program} etcd recover --from ${answering.spec.name} --dry-run`
    : ''
  const next =
    silent.length > 0
      ? `start ${silent.join(' or ')} again (${program} etcd up); ${quorumOf(voters || members.length)} must answer${lost}`
      : `${program} etcd verify`
  return [{ note: 'no leader', next }]
}

/** By what the data are, not by whom the alarm names: that may be the wrong one. */
function corrupt({ leader, members }: ClusterView, { alarms, comparison }: StatusFacts): Finding[] {
  if (!alarms.some(({ alarm }) => alarm === 'CORRUPT')) return []
  if (!comparison) return [{ note: 'CORRUPT: the data cannot be compared now', next: `${program} etcd verify` }]
  const { most, odd } = comparison
  if (odd.length === 0) {
    const all = members.every(({ status }) => status)
    return all
      ? [{ note: 'CORRUPT, yet all have the same data', next: `${program} etcd alarms --disarm` }]
      : [{ note: 'CORRUPT, yet those that answer have the same data' }]
  }
  const note = 'CORRUPT: its data differs'
  if (most.length === 0) return odd.map(member => ({ member, note, next: `${program} etcd verify` }))
  // What it leads is copied to whoever joins: it goes first.
  const leads = odd.filter(name => name === leader?.spec.name)
  return [...new Set([...leads, ...odd])].map(member => ({
    member,
    note,
    next: `${program} etcd member replace ${member}`,
  }))
}

function noSpace(view: ClusterView, { alarms }: StatusFacts): Finding[] {
  const next = `${program} etcd alarms --disarm`
  return alarms.flatMap(({ alarm, member }) =>
    alarm === 'NOSPACE' ? [{ member: nameOf(member, view), note: 'NOSPACE: writes refused', next }] : [],
  )
}

function down({ spec, error, status }: MemberView, { machines }: StatusFacts): Finding | undefined {
  if (status) return undefined
  const machine = machines.get(spec.name)
  const next = machine && cureOf(spec.name, machine)
  if (!next) return { member: spec.name, note: shortReason(error), next: `${program} etcd verify ${spec.name}` }
  const note = machine.state === 'absent' ? 'its machine has nothing of it' : 'stopped'
  return { member: spec.name, note: machine.said ? `${note}: ${inShort(machine.said)}` : note, next }
}

/** What brings a silent member back, by what its machine says; undefined: it runs. Pure. */
export function cureOf(member: string, { state, said = '' }: Pick<Found, 'state' | 'said'>): string | undefined {
  if (state === 'running') return undefined
  const replace = `${program} etcd member replace ${member}`
  if (/no space left/.test(said)) return `make room on its machine, then: ${program} etcd up`
  if (state === 'absent' || /panic|fatal|inconsistency/.test(said)) return replace
  return `${program} etcd up starts it again; if its data is lost: ${replace}`
}

/** Of what may be a page of log: without what means something to etcd alone, and rather the cause, which stands last, than who passes it on. */
function inShort(text: string): string {
  const [line = ''] = text.trim().split('\n')
  const words = line.replace(/^exit \d+: /, '').replace(/^[0-9a-f]{12,16} /, '')
  const parts = words.split(': ')
  const ends = parts.map((_, index) => parts.slice(index).join(': '))
  return ends.find(end => end.length <= 35) ?? `${words.slice(0, 34).trimEnd()}…`
}

/** Why no answer came, short enough for a table. */
export function shortReason(error: Error | undefined): string {
  if (error instanceof EtcdError) return error.said
  if (!(error instanceof UnreachableError)) return error?.message ?? 'no answer'
  if (error.failure === 'tls') return tlsReason(error)
  const words = {
    refused: 'connection refused',
    timeout: 'no answer in time',
    reset: 'connection closed',
    name: 'name not found',
    other: 'no answer from an etcd',
  }
  return words[error.failure]
}

/** `its certificate has expired`: what is before the next colon, where that is short. */
function tlsReason({ endpoint, message }: UnreachableError): string {
  const [words = ''] = message.replace(`${endpoint}: `, '').split(':')
  return words.length > 35 ? 'TLS failed' : words
}

function unusable({ spec }: MemberView, { certificates, now }: StatusFacts): Finding | undefined {
  const { expires, error } = certificates.get(spec.name) ?? {}
  const expired = expires && expires < now ? 'has expired' : undefined
  const why = error ?? expired
  return why === undefined ? undefined : { member: spec.name, note: `certificate ${why}`, next: rotate }
}

function ending({ spec }: MemberView, { certificates, now }: StatusFacts): Finding | undefined {
  const { expires } = certificates.get(spec.name) ?? {}
  const days = expires && Math.floor((+expires - +now) / dayMs)
  if (days === undefined || days < 0 || days >= renewBeforeDays) return undefined
  return { member: spec.name, note: `certificate ends in ${days}d`, next: rotate }
}

function absent({ spec, member, status }: MemberView, { voters }: ClusterView): Finding | undefined {
  if (member || voters === 0) return undefined
  const note = status ? 'runs, but not in the member list' : 'not in the member list'
  return { member: spec.name, note, next: `${program} etcd member replace ${spec.name}` }
}

function stranger({ id, name, peerUrls }: ClusterView['strangers'][number]): Finding {
  const member = name || hexId(id)
  const where = peerUrls[0] ? ` (${peerUrls[0]})` : ''
  return {
    member,
    note: name ? 'not in the inventory' : 'never started, not in the inventory',
    next: `${member}${where} is in the member list alone: ${program} etcd member remove ${member}`,
  }
}

function unready({ spec, status, readiness }: MemberView, { alarms }: StatusFacts): Finding | undefined {
  if (!status || status.isLearner) return undefined
  const next = `${program} etcd verify ${spec.name}`
  if (status.leader === 0n) return { member: spec.name, note: 'knows no leader', next }
  // The alarm of one makes all of them unready: it is said where it belongs.
  const known = alarms.some(({ alarm }) => alarm === 'CORRUPT') ? 'data_corruption' : undefined
  const failed = (readiness?.failed ?? []).map(probeIn).filter(name => name !== known)
  return failed.length === 0 ? undefined : { member: spec.name, note: `not ready: ${failed.join(', ')}`, next }
}

/** `linearizable_read` of `linearizable_read failed: context canceled`; whatever else was said stays whole. Pure. */
const probeIn = (text: string): string => /^(\w+) failed\b/.exec(text)?.[1] ?? text

function learner({ spec, status }: MemberView): Finding | undefined {
  if (!status?.isLearner) return undefined
  return { member: spec.name, note: 'learner: no vote yet', next: `${program} etcd member promote ${spec.name}` }
}

function full({ spec, status }: MemberView, { quotaBytes }: StatusFacts): Finding | undefined {
  if (!status) return undefined
  const quota = status.dbSizeQuota || quotaBytes
  const share = Math.floor((status.dbSize / quota) * 100)
  if (share < 80) return undefined
  const next = status.dbSizeInUse < 0.7 * status.dbSize ? 'etcd defrag' : 'etcd keys'
  return { member: spec.name, note: `database ${share}% of its quota`, next: `${program} ${next}` }
}

function older({ spec, status }: MemberView, { members }: ClusterView): Finding | undefined {
  if (!status) return undefined
  const newest = members
    .flatMap(({ status: other }) => (other ? [other.version] : []))
    .sort(compareVersions)
    .at(-1)
  if (newest === undefined || newest === status.version) return undefined
  return { member: spec.name, note: `older than ${newest}`, next: `${program} etcd upgrade ${newest}` }
}

function behind(member: MemberView, view: ClusterView): Finding | undefined {
  const lag = lagOf(member, view)
  if (lag < lagToMention || member.status?.isLearner) return undefined
  return { member: member.spec.name, note: `${lag} entries behind`, next: `${program} etcd verify ${member.spec.name}` }
}

/** Asked one after the other, a member may be ahead of the leader that was asked before it. */
export function lagOf({ status }: MemberView, { members }: ClusterView): number {
  if (!status) return 0
  const newest = members.reduce((most, { status: other }) => {
    return other && other.raftIndex > most ? other.raftIndex : most
  }, 0n)
  return Number(newest - status.raftAppliedIndex)
}

function backup({ backup: facts, now }: StatusFacts): Finding[] {
  if (!facts) return []
  const { newest, sites, overdueAfterMs = Number.POSITIVE_INFINITY } = facts
  const late = (taken: Date | undefined) => {
    if (!taken) return 'no backup yet'
    return +now - +taken > overdueAfterMs ? 'backup overdue' : undefined
  }
  if (!sites) {
    const note = late(newest)
    return note === undefined ? [] : [{ note, next: `${program} etcd snapshot save` }]
  }
  const wrong = sites.flatMap(({ context, found }) => {
    if (!found) return [{ context, note: 'no backups are taken', next: `${program} etcd up` }]
    const { failed, next } = found
    if (failed) return [{ context, note: `backup failed (${failed.why})`, next: failed.next }]
    const note = late(found.newest)
    return note === undefined ? [] : [{ context, note, next }]
  })
  return [...Map.groupBy(wrong, ({ note }) => note)].map(([note, alike]) => ({
    note: `${note} in ${alike.map(({ context }) => context).join(' and ')}`,
    next: alike[0]?.next ?? '',
  }))
}

function fragmented({ spec, status }: MemberView): Finding | undefined {
  if (!status) return undefined
  const free = status.dbSize - status.dbSizeInUse
  if (free < 100 * mebibyte || free < status.dbSize / 2) return undefined
  return { member: spec.name, note: `${formatBytes(free)} of it free`, next: `${program} etcd defrag` }
}

/** A member's name, or its id in hex where neither inventory nor list has one. */
export function nameOf(id: bigint, { members, strangers }: ClusterView): string {
  const ours = members.find(({ member, status }) => (member?.id ?? status?.id) === id)
  return ours?.spec.name ?? (strangers.find(stranger => stranger.id === id)?.name || hexId(id))
}
