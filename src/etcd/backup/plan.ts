import type { ClusterSpec, MemberSpec } from '../cluster.ts'

/** Whom scheduled backups are to etcd. It lives as long as other certificates do: backups are not to end before the members' own do. */
export const backupConsumer = 'karmada-net-backup'

/**
 * Members beside which backups are taken: one of each site that has any in Kubernetes. Each site keeps copies of its own, so that the
 * loss of a site, or of all others, leaves them. Empty: the machine that the plugin runs on takes them. Pure.
 */
export function backupPlaces({ members }: Pick<ClusterSpec, 'members'>): MemberSpec[] {
  const able = members.filter(({ driver }) => driver.kind === 'kubernetes')
  const bySite = Map.groupBy(able, ({ site }) => site)
  return [...bySite.values()].flatMap(([first]) => first ?? [])
}

export const backsUpInClusters = (spec: Pick<ClusterSpec, 'members' | 'backup'>): boolean =>
  spec.backup !== undefined && backupPlaces(spec).length > 0
