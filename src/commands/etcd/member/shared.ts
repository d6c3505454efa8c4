import type { Complete } from '../../../cli/complete.ts'
import type { Session } from '../../../cli/session.ts'
import type { MemberSpec } from '../../../etcd/cluster.ts'
import type { MemberPlan } from '../../../etcd/member/step.ts'
import type { EtcdWorld } from '../../../etcd/world.ts'
import { type EtcdFlags, etcdFlags, etcdMutatingFlags, openEtcd } from '../shared.ts'

const { dryRun, timeout } = etcdMutatingFlags

const patienceMs = 2000

export const memberFlags = { ...etcdFlags, dryRun, timeout }

export type MemberFlags = EtcdFlags & { dryRun: 'none' | 'client'; timeout: number }

/** Members that the state folder knows; asks no server. */
export const etcdMemberNames: Complete = async ({ flags, session }) => {
  const asked = (name: string) => (typeof flags[name] === 'string' ? (flags[name] as string) : undefined)
  const world = await openEtcd({ ...(flags as EtcdFlags), etcd: asked('etcd'), state: asked('state') }, session)
  return world.state.spec.members.map(({ name, address }) => ({ word: name, description: address }))
}

export async function memberFrom(text: string): Promise<MemberSpec> {
  const { memberFromFlag } = await import('../../../etcd/inventory/index.ts')
  return memberFromFlag(text)
}

/**
 * Looks, then acts under the lock, each step shown; a dry run looks alone. The world is opened by the caller, so that it may look at
 * what is remembered first.
 */
export async function carryOut(
  session: Session,
  flags: Pick<MemberFlags, 'dryRun'>,
  world: EtcdWorld,
  job: { what: string; plan(): Promise<MemberPlan>; done: string },
): Promise<void> {
  const { name } = world.state.spec
  if (flags.dryRun !== 'none') return sayPlan(session, await patiently(session, job.plan))
  const { withLock } = await import('../../../etcd/lock.ts')
  const { perform } = await import('../../../cli/perform.ts')
  const began = session.io.now()
  await withLock(world, job.what, async () => {
    const { steps, already } = await patiently(session, job.plan)
    if (steps.length === 0) return session.say(`Nothing to do: ${already}.`)
    session.say(`etcd ${name}: ${job.what}\n`)
    const { backupPlaces } = await import('../../../etcd/backup/plan.ts')
    const { clusterBackupsStep } = await import('../../../etcd/backup/schedule-steps.ts')
    const { spec } = world.state
    // They name all members, and who takes them may be another one now.
    const backups = spec.backup && backupPlaces(spec).length > 0 ? [clusterBackupsStep] : []
    await perform(session, [{ steps: [...steps, ...backups] }], world)
    session.say(`\n${job.done} (${((session.io.now() - began) / 1000).toFixed(1)}s).`)
  })
}

/** In the middle of an election there is nothing to see for some seconds. */
async function patiently<T>(session: Session, look: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => session.say('Waiting for the members to agree on a leader ...'), patienceMs)
  try {
    return await look()
  } finally {
    clearTimeout(timer)
  }
}

function sayPlan(session: Session, { steps, already }: MemberPlan): void {
  if (steps.length === 0) {
    session.say(`Nothing to do: ${already}.`)
    return
  }
  for (const [index, { would }] of steps.entries()) session.out(`${index + 1}. ${would}`)
  session.say('Nothing was changed (dry run).')
}
