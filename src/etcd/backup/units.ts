import serviceText from '../../../manifests/etcd/backup.service'
import timerText from '../../../manifests/etcd/backup.timer'
import { UserError } from '../../errors.ts'
import type { Backup } from '../cluster.ts'
import { parseSchedule } from './schedule.ts'

/** How the plugin is called again, and as whom. */
export interface Caller {
  /** Absolute path of the program, and what stands before its own arguments. */
  command: string[]
  /** The state folder. */
  state: string
  user: string
}

/** A cluster may be called as another's unit, `NAME-backup`; not like this. */
export const unitNames = (cluster: string): { service: string; timer: string } => ({
  service: `karmada-net-etcd-backup-${cluster}.service`,
  timer: `karmada-net-etcd-backup-${cluster}.timer`,
})

/** The first line of what this plugin wrote. */
export const isOurs = (text: string): boolean => text.startsWith('# Written by kubectl karmada-net')

const mostDelaySeconds = 300

/** The service and its timer, by file name. Pure. Throws UserError for a path that a unit cannot hold. */
export function backupUnits(cluster: string, backup: Backup, caller: Caller): Record<string, string> {
  const names = unitNames(cluster)
  const { onCalendar, longestGapMs } = parseSchedule(backup.schedule)
  const given: Record<string, string> = {
    program: caller.command.map(word => plain(word)).join(' '),
    state: plain(caller.state),
    directory: plain(backup.directory),
    keep: String(backup.keep),
    user: plain(caller.user),
  }
  const service = named(serviceText, cluster).replace(/@(\w+)@/g, (_, key: string) => given[key] ?? '')
  // Of many clusters on one machine not all begin in the same second.
  const delaySeconds = Math.min(mostDelaySeconds, Math.floor(longestGapMs / 20_000))
  const timer = named(timerText, cluster)
    .replace(/^OnCalendar=.*$/m, () => `OnCalendar=${onCalendar}`)
    .replace(/^RandomizedDelaySec=.*$/m, `RandomizedDelaySec=${delaySeconds}`)
  return { [names.service]: service, [names.timer]: timer }
}

const named = (text: string, cluster: string): string => text.replace(/\bsample\b/g, () => cluster)

/** Quoting in units is a language of its own, and differs from setting to setting. */
function plain(word: string): string {
  if (/^[\w./:@+,=-]+$/.test(word)) return word
  throw new UserError(`"${word}" cannot stand in a unit of systemd`, {
    hint: 'paths with letters, digits, and any of . _ - + , = : @ can: --directory, --state',
  })
}
