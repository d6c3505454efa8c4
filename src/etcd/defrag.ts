import { UserError } from '../errors.ts'
import type { Progress, Step, StepGroup } from '../steps/step.ts'
import { formatBytes, formatShare } from './bytes.ts'
import type { MemberStatus } from './client/types.ts'
import type { MemberSpec } from './cluster.ts'
import { refuseCorrupt } from './corruption.ts'
import { requireMember } from './member/words.ts'
import { type ClusterView, lookAt, type MemberView } from './view.ts'
import { waitForHealthy, waitForReady } from './waits.ts'
import type { EtcdWorld } from './world.ts'

const mebibyte = 2 ** 20

/**
 * Who is defragmented, in order: followers first, the leader last. While it works a member serves nothing, so nobody else may be
 * away. Pure. Throws UserError with who is in the way.
 */
export function defragOrder(view: ClusterView, names: readonly string[]): MemberSpec[] {
  refuseCorrupt(view)
  const ill = view.members.flatMap(member => {
    const why = whyAway(member)
    return why === undefined ? [] : [`${member.spec.name} ${why}`]
  })
  if (ill.length > 0 || !view.leader) {
    throw new UserError(
      `not now: ${ill.join(', ') || 'there is no leader'}; a member that is defragmented serves nothing meanwhile`,
      {
        hint: 'kubectl karmada-net etcd status',
      },
    )
  }
  const chosen = view.members.filter(({ spec }) => names.length === 0 || names.includes(spec.name))
  return leaderLast(chosen, view).map(({ spec }) => spec)
}

function whyAway({ status, member, readiness }: MemberView): string | undefined {
  if (!status) return 'does not answer'
  if (!member) return 'is not in the member list'
  if (status.isLearner) return 'is a learner'
  return readiness?.ready ? undefined : 'is not ready'
}

export const leaderLast = (members: readonly MemberView[], { leader }: ClusterView): MemberView[] => [
  ...members.filter(member => member !== leader),
  ...members.filter(member => member === leader),
]

/** One member after the other, each ready and everybody healthy before the next. */
const defragGroups = (members: readonly MemberSpec[]): StepGroup<EtcdWorld>[] => [
  {
    steps: members.map(member =>
      defragStep(member, {
        async after(world, progress) {
          await waitForReady(world, member, progress)
          await waitForHealthy(world, progress)
        },
      }),
    ),
  },
]

interface Around {
  /** What has to be over before it is looked at. */
  before?(world: EtcdWorld, progress: Progress): Promise<void>
  /** Default: `isWorthwhile`. */
  worth?(status: MemberStatus): boolean
  /** What has to be so before the next member may serve nothing. */
  after(world: EtcdWorld, progress: Progress): Promise<void>
}

export const defragStep = (
  member: MemberSpec,
  { before: first, after: settled, worth = isWorthwhile }: Around,
): Step<EtcdWorld> => ({
  title: `Defragment ${member.name}`,
  async guard(world) {
    const status = await world.clientOf(member).status()
    if (worth(status)) await requireRoom(world, member, status)
  },
  async run(world, progress) {
    const client = world.clientOf(member)
    await first?.(world, progress)
    const before = await client.status()
    if (!worth(before)) return { changed: false, detail: `nothing to win of ${formatBytes(before.dbSize)}` }
    await requireRoom(world, member, before)
    progress(`rewriting ${formatBytes(before.dbSizeInUse)}; it serves nothing meanwhile`)
    const began = performance.now()
    await client.defragment({ timeoutMs: world.timeoutMs })
    const elapsed = Math.round(performance.now() - began)
    await settled(world, progress)
    const after = await client.status()
    return { changed: true, detail: `${wonText(before, after)} in ${elapsed} ms` }
  },
})

/** Are there free pages that it pays to give back? Below 1 MiB or 1 % there are always some. Pure. */
export function isWorthwhile({ dbSize, dbSizeInUse }: Pick<MemberStatus, 'dbSize' | 'dbSizeInUse'>): boolean {
  return dbSize - dbSizeInUse >= Math.max(mebibyte, dbSize / 100)
}

const wonText = (before: MemberStatus, after: MemberStatus): string =>
  `${formatBytes(Math.max(0, before.dbSize - after.dbSize))} won, ${formatShare(after.dbSize, before.dbSize)} left`

/** It writes a second file with all that is in use before it lets go of the first. */
async function requireRoom(world: EtcdWorld, member: MemberSpec, { dbSizeInUse }: MemberStatus): Promise<void> {
  const { freeBytes } = await world.driverOf(member).inspect()
  if (freeBytes === undefined || freeBytes > dbSizeInUse + 64 * mebibyte) return
  throw new UserError(
    `${member.name} has ${formatBytes(freeBytes)} free on its disk; to defragment ${formatBytes(dbSizeInUse)} it needs that much once more`,
    { hint: `make room on its machine, or give it a new disk: kubectl karmada-net etcd member replace ${member.name}` },
  )
}

/** The steps for the cluster as it is now. Throws UserError while it is not healthy, and for a name that is no member's. */
export async function planDefrag(world: EtcdWorld, names: readonly string[]): Promise<StepGroup<EtcdWorld>[]> {
  for (const name of names) requireMember(world.state, name)
  return defragGroups(defragOrder(await lookAt(world), names))
}
