import { type Alarm, hexId } from './client/types.ts'
import { type BackupSite, type Finding, findings, lagOf, type StatusFacts } from './findings.ts'
import type { ClusterView, MemberView } from './view.ts'

/** One line of `etcd status`, and one item of its `-o json`. Sizes are in bytes, ids in hex as etcdctl shows them. */
export interface StatusRow {
  member: string
  /** `absent`: of the inventory, but not in the member list; `stranger`: the other way round. */
  role: 'leader' | 'follower' | 'learner' | 'down' | 'absent' | 'stranger'
  id?: string
  address?: string
  site?: string
  version?: string
  dbSize?: number
  dbSizeInUse?: number
  dbSizeQuota?: number
  raftTerm?: string
  raftIndex?: string
  /** Entries of the log that it has not applied yet, of those that the most advanced member has. */
  raftLag?: number
  latencyMs?: number
  alarms: Alarm['alarm'][]
  certificate?: { expires: string; daysLeft: number }
  /** What is wrong with it, the worst first. */
  notes: string[]
  /** Why it did not answer, in full. */
  error?: string
}

export interface ClusterStatus {
  cluster: string
  /** Are writes taken? */
  hasQuorum: boolean
  leader?: string
  voters: number
  healthyVoters: number
  members: StatusRow[]
  backup?: {
    newest?: string
    ageSeconds?: number
    where?: string
    /** Of backups beside members, each site's own. */
    sites?: { context: string; newest?: string; failed?: string }[]
  }
  /** One line: can it be written to, who leads, what is wrong everywhere. */
  summary: string
  /** What to do about the worst of it. */
  hint?: string
}

/** What was seen of a cluster, as people and programs want it. Pure. */
export function clusterStatus(view: ClusterView, facts: StatusFacts): ClusterStatus {
  const found = findings(view, facts)
  const newest = facts.backup?.newest
  const status: ClusterStatus = {
    cluster: facts.cluster,
    hasQuorum: view.hasQuorum,
    ...(view.leader && { leader: view.leader.spec.name }),
    voters: view.voters,
    healthyVoters: view.healthyVoters,
    members: [
      ...view.members.map(member => memberRow(member, view, facts, found)),
      ...view.strangers.map(stranger => strangerRow(stranger, found)),
    ],
    summary: summaryOf(view, facts, found),
  }
  if (facts.backup) {
    status.backup = {
      ...(newest && { newest: newest.toISOString(), ageSeconds: Math.round((+facts.now - +newest) / 1000) }),
      ...(facts.backup.where !== undefined && { where: facts.backup.where }),
      ...(facts.backup.sites && { sites: facts.backup.sites.map(siteOf) }),
    }
  }
  const next = found.find(({ next }) => next !== undefined)?.next
  if (next !== undefined) status.hint = next
  return status
}

const siteOf = ({ context, found }: BackupSite) => ({
  context,
  ...(found?.newest && { newest: found.newest.toISOString() }),
  ...(found?.failed && { failed: found.failed.why }),
})

function memberRow(member: MemberView, view: ClusterView, facts: StatusFacts, found: Finding[]): StatusRow {
  const { spec, status, latencyMs, error } = member
  const said = [error?.message, facts.machines.get(spec.name)?.said].filter(text => text !== undefined).join('; ')
  const certificate = facts.certificates.get(spec.name)
  const id = member.member?.id ?? status?.id
  return {
    member: spec.name,
    role: roleOf(member, view),
    ...(id !== undefined && { id: hexId(id) }),
    address: spec.address,
    site: spec.site,
    ...(status && {
      version: status.version,
      dbSize: status.dbSize,
      dbSizeInUse: status.dbSizeInUse,
      dbSizeQuota: status.dbSizeQuota || facts.quotaBytes,
      raftTerm: String(status.raftTerm),
      raftIndex: String(status.raftIndex),
      raftLag: lagOf(member, view),
    }),
    ...(latencyMs !== undefined && { latencyMs: Math.round(latencyMs * 10) / 10 }),
    alarms: facts.alarms.filter(alarm => alarm.member === id).map(({ alarm }) => alarm),
    ...(certificate?.expires && {
      certificate: { expires: certificate.expires.toISOString(), daysLeft: daysUntil(certificate.expires, facts.now) },
    }),
    notes: notesOf(spec.name, found),
    ...(said !== '' && { error: said }),
  }
}

function strangerRow({ id, name, peerUrls }: ClusterView['strangers'][number], found: Finding[]): StatusRow {
  const member = name || hexId(id)
  return {
    member,
    role: 'stranger',
    id: hexId(id),
    ...(peerUrls[0] !== undefined && { address: peerUrls[0] }),
    alarms: [],
    notes: notesOf(member, found),
  }
}

const notesOf = (name: string, found: Finding[]): string[] =>
  found.filter(({ member }) => member === name).map(({ note }) => note)

function roleOf(member: MemberView, view: ClusterView): StatusRow['role'] {
  if (!member.status) return 'down'
  if (!member.member && view.voters > 0) return 'absent'
  if (member.status.isLearner) return 'learner'
  return member === view.leader ? 'leader' : 'follower'
}

const daysUntil = (date: Date, now: Date): number => Math.floor((+date - +now) / 86_400_000)

function summaryOf(view: ClusterView, facts: StatusFacts, found: Finding[]): string {
  const { voters, healthyVoters, leader, hasQuorum, members } = view
  const versions = [...new Set(members.flatMap(({ status }) => (status ? [status.version] : [])))].sort()
  const parts = [
    ...refusing(facts),
    hasQuorum ? `${healthyVoters} of ${voters} voters healthy` : noQuorum(view),
    ...(leader ? [`leader ${leader.spec.name}`] : []),
    ...(versions.length > 0 ? [`etcd ${versions.join(' and ')}`] : []),
    ...found.flatMap(({ member, note }) => (member === undefined && note !== undefined ? [note] : [])),
  ]
  if (facts.backup?.newest) parts.push(`newest backup ${formatAge(+facts.now - +facts.backup.newest)} old`)
  return `${facts.cluster}: ${parts.join(', ')}`
}

/** With a quorum, too. */
function refusing({ alarms }: StatusFacts): string[] {
  const raised = new Set(alarms.map(({ alarm }) => alarm))
  if (raised.has('CORRUPT')) return ['corrupt data: writes are refused']
  return raised.has('NOSPACE') ? ['database full: writes are refused'] : []
}

function noQuorum({ voters, healthyVoters }: ClusterView): string {
  if (voters === 0) return 'no member answers'
  return `no quorum: ${healthyVoters} of ${voters} voters healthy, writes are refused`
}

/** `45s`, `12m`, `7h`, `3d`: coarse, for ages. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)}h`
  return `${Math.round(seconds / 86_400)}d`
}
