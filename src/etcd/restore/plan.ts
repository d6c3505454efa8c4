import { createHash } from 'node:crypto'
import type { MemberId } from '../client/types.ts'
import { type ClusterState, type MemberSpec, peerUrl } from '../cluster.ts'
import type { Found } from '../drivers/driver.ts'

/** A billion revisions: more than any cluster writes between a snapshot and its restore. */
const stepOf = 1_000_000_000n

/**
 * By how much revisions are raised, so that none is ever used twice: API servers take a lower one than they have seen for an old answer, and
 * keep objects in their caches that are gone. `current`: the cluster's newest, where anybody can tell it. Pure.
 */
export function bumpFor(snapshot: bigint, current: bigint | undefined, restores: number): bigint {
  if (current === undefined) return stepOf * BigInt(Math.max(1, restores))
  return current < snapshot ? stepOf : stepOf * ((current - snapshot) / stepOf + 1n)
}

/** How often the cluster has been restored, this time included: its token counts it. Pure. */
export const restoresIn = (token: string): number => Number(/-r(\d+)$/.exec(token)?.[1] ?? 0)

/**
 * The state of the cluster that a restore begins: with a token of its own, so that a member of the old one that comes back is not let in, and
 * in directories of its own, so that the old data stay. Pure.
 */
export function restoredState(
  state: ClusterState,
  members: readonly MemberSpec[],
  started: Record<string, Found['launch']>,
): ClusterState {
  const begun = Object.fromEntries(
    members.map(({ name }) => {
      const { generation = 0, version = state.spec.version } = state.members[name] ?? {}
      return [name, { version, generation: Math.max(generation, started[name]?.generation ?? 0) + 1 }]
    }),
  )
  const token = `${state.token.replace(/-r\d+$/, '')}-r${restoresIn(state.token) + 1}`
  return { ...state, token, members: { ...state.members, ...begun } }
}

/** The id that etcd gives to a member of a cluster that begins with this token: who has it runs what was restored. Pure. */
export function restoredId(state: ClusterState, member: MemberSpec): MemberId {
  const hash = createHash('sha1')
    .update(`${peerUrl(member, state.spec)}${state.token}`)
    .digest()
  return hash.readBigUInt64BE()
}

/** etcdutl's words for one member. `members`: those that make up the new cluster. Pure. */
export function restoreArgs(
  state: ClusterState,
  member: MemberSpec,
  members: readonly MemberSpec[],
  { snapshot, dataDir, bump }: { snapshot: string; dataDir: string; bump: bigint },
): string[] {
  const cluster = members.map(each => `${each.name}=${peerUrl(each, state.spec)}`).join(',')
  return [
    'snapshot',
    'restore',
    snapshot,
    `--name=${member.name}`,
    `--data-dir=${dataDir}`,
    `--initial-cluster=${cluster}`,
    `--initial-cluster-token=${state.token}`,
    `--initial-advertise-peer-urls=${peerUrl(member, state.spec)}`,
    `--bump-revision=${bump}`,
    '--mark-compacted',
  ]
}
