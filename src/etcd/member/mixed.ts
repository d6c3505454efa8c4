import type { ClusterState } from '../cluster.ts'
import { compareVersions, minorOf } from '../versions.ts'
import type { Counted, Objection } from './rules.ts'

/**
 * Who comes must be of the minor that all others run: etcd takes the one way from minor to minor, member by member, that `etcd upgrade`
 * goes. Pure. `name`: who comes; what it would get is what was noted for it, else the cluster's.
 */
export function whyNotMixed(
  { members }: Pick<Counted, 'members'>,
  { spec, members: noted }: Pick<ClusterState, 'spec' | 'members'>,
  name: string,
): Objection | undefined {
  const others = members.flatMap(({ spec: each, status }) =>
    status && each.name !== name ? [{ name: each.name, version: status.version }] : [],
  )
  const gets = noted[name]?.version ?? spec.version
  const minors = new Set(others.map(({ version }) => minorOf(version)))
  if (minors.size > 1) {
    return {
      text: `the members run different minors: ${whoRunsWhat(others)}`,
      hint: `first bring them to one: kubectl karmada-net etcd upgrade ${spec.version}`,
    }
  }
  if (minors.size === 0 || minors.has(minorOf(gets))) return undefined
  const newest = [gets, ...others.map(({ version }) => version)].sort(compareVersions).at(-1)
  return {
    text: `${name} would run etcd ${gets}, beside ${whoRunsWhat(others)}`,
    hint: `first bring all to one minor: kubectl karmada-net etcd upgrade ${newest}`,
  }
}

/** `m1 3.6.16; m2, m3 3.5.33`. */
function whoRunsWhat(members: readonly { name: string; version: string }[]): string {
  const groups = Map.groupBy(members, ({ version }) => version)
  return [...groups].map(([version, them]) => `${them.map(({ name }) => name).join(', ')} ${version}`).join('; ')
}
