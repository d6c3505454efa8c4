import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import type { Progress } from '../steps/step.ts'
import { UnreachableError } from './client/errors.ts'
import type { MemberId, MemberStatus } from './client/types.ts'
import type { MemberSpec } from './cluster.ts'
import { corruptError, isCorrupt } from './corruption.ts'
import { lookAt, type MemberView } from './view.ts'
import type { EtcdWorld } from './world.ts'

export { sameData } from './same-data.ts'

const everyMs = 200
const statusMs = 1500
/** A certificate that is being changed may be refused for a moment. Milliseconds. */
const tlsPatienceMs = 5000

/**
 * Waits until two members name the same leader, and it is not `not`: one alone may not know yet that it has been cut off. A cluster
 * of one names itself. Throws UserError with what each member says when the time is over.
 */
export async function waitForLeader(
  world: EtcdWorld,
  { not, progress }: { not?: MemberId | undefined; progress?: Progress | undefined } = {},
): Promise<MemberView> {
  return until(world, { what: 'no leader', progress }, async () => {
    const views = await Promise.all(world.state.spec.members.map(spec => statusOf(world, spec)))
    const statuses = views.flatMap(({ status }) => status ?? [])
    const id = agreedLeader(statuses, await votersSeenBy(world, views))
    const leader = views.find(({ status }) => status?.id === id)
    if (id !== undefined && id !== not && leader) return { done: leader }
    return { waitingFor: views.map(view => `${view.spec.name}: ${leaderSaid(view, views)}`).join(', ') }
  })
}

/** Named by two, or by the only voter there is. Pure. */
export function agreedLeader(statuses: readonly MemberStatus[], voters: number): MemberId | undefined {
  const needed = Math.min(2, Math.max(1, voters))
  const ids = new Set(statuses.map(({ leader }) => leader).filter(id => id !== 0n))
  return [...ids].find(id => statuses.filter(({ leader }) => leader === id).length >= needed)
}

async function votersSeenBy(world: EtcdWorld, views: readonly MemberView[]): Promise<number> {
  // With two that agree it does not matter; only a single one has to prove that it is alone.
  if (views.filter(({ status }) => status).length !== 1) return 2
  const alone = views.find(({ status }) => status)
  if (!alone) return 2
  const list = await world
    .clientOf(alone.spec)
    .members({ linearizable: false, timeoutMs: statusMs })
    .catch(() => [])
  return list.filter(({ isLearner }) => !isLearner).length || 2
}

async function statusOf(world: EtcdWorld, spec: MemberSpec): Promise<MemberView> {
  try {
    return { spec, status: await world.clientOf(spec).status({ timeoutMs: statusMs }) }
  } catch (error) {
    return { spec, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function leaderSaid({ status, error }: MemberView, views: readonly MemberView[]): string {
  if (!status) return wordsOf(error)
  if (status.leader === 0n) return 'knows no leader'
  const leader = views.find(view => view.status?.id === status.leader)
  return `leader ${leader?.spec.name ?? status.leader.toString(16)}`
}

/**
 * Waits until the member's /readyz passes: it takes part, and serves reads that everybody agrees on. Throws UserError.
 * `corrupt`: also while a CORRUPT alarm is raised, which no member is ready with.
 */
export async function waitForReady(
  world: EtcdWorld,
  member: MemberSpec,
  progress?: Progress,
  { corrupt = false } = {},
): Promise<void> {
  await until(world, { what: `${member.name} is not ready`, progress }, async () => {
    const { failed, ready } = await world.clientOf(member).readiness({ timeoutMs: statusMs })
    const counts = failed.filter(probe => !(corrupt && probe.startsWith('data_corruption')))
    return ready || (failed.length > 0 && counts.length === 0)
      ? { done: undefined }
      : { waitingFor: `${member.name}: ${counts.join(', ')}` }
  })
}

/** Waits until all members of the inventory answer, follow one leader and are ready; learners need not be. Throws UserError. */
export async function waitForHealthy(world: EtcdWorld, progress?: Progress): Promise<void> {
  await until(world, { what: 'the cluster is not healthy', progress }, async () => {
    const view = await lookAt(world)
    if (isCorrupt(view)) return { hopeless: corruptError() }
    const ill = view.members.flatMap(each => {
      const why = whyIll(each)
      return why === undefined ? [] : [`${each.spec.name}: ${why}`]
    })
    if (ill.length > 0) return { waitingFor: ill.join(', ') }
    return view.leader && view.hasQuorum
      ? { done: undefined }
      : { waitingFor: 'no leader that more than half agree on' }
  })
}

function whyIll({ status, readiness, member, error }: MemberView): string | undefined {
  if (!status) return wordsOf(error)
  if (!member) return 'not in the member list'
  if (status.leader === 0n) return 'knows no leader'
  if (member.isLearner || readiness?.ready) return undefined
  return readiness?.failed.join(', ') || 'not ready'
}

type Outcome<T> = { done: T } | { waitingFor: string } | { hopeless: UserError }

/** Asks until it is so. What cannot get better by waiting is thrown at once. */
async function until<T>(
  { signal, timeoutMs }: EtcdWorld,
  { what, progress }: { what: string; progress?: Progress | undefined },
  ask: () => Promise<Outcome<T>>,
): Promise<T> {
  const started = performance.now()
  let refusedSince: number | undefined
  let last = ''
  for (;;) {
    signal.throwIfAborted()
    let hopeless: UserError | undefined
    try {
      const outcome = await ask()
      if ('done' in outcome) return outcome.done
      if ('hopeless' in outcome) hopeless = outcome.hopeless
      else last = outcome.waitingFor
      refusedSince = undefined
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof UserError)) throw error
      refusedSince =
        error instanceof UnreachableError && error.failure === 'tls' ? (refusedSince ?? performance.now()) : undefined
      if (refusedSince !== undefined && performance.now() - refusedSince > tlsPatienceMs) throw error
      last = wordsOf(error)
    }
    if (hopeless) throw hopeless
    progress?.(last)
    if (performance.now() - started + everyMs > timeoutMs) {
      throw new UserError(`${what} after ${Math.round(timeoutMs / 1000)}s: ${last}`, {
        hint: 'kubectl karmada-net etcd status shows every member; the same command goes on from here',
      })
    }
    await pause(everyMs, signal)
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
