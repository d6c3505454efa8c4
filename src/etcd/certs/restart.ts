import { UserError } from '../../errors.ts'
import type { Progress } from '../../steps/step.ts'
import { waitForOwner } from '../by-hand.ts'
import type { MemberSpec } from '../cluster.ts'
import { rolling } from '../rolling.ts'
import type { EtcdWorld } from '../world.ts'
import { turnedAwaySince } from './refusals.ts'
import { type AuthorityRotation, readRotation, writeRotation } from './rotation.ts'

export interface RestartOptions {
  progress: Progress
  /** Does this member run with what it was given? Asked of those that somebody restarts by hand. */
  restarted(member: MemberSpec): Promise<boolean>
  /** Just before a member is restarted. */
  before?: ((member: MemberSpec) => Promise<void>) | undefined
  /** Look, once the first member is up again, whether it turns clients away. */
  watchRefusals?: boolean | undefined
}

/** Restarts every member that this phase has not restarted yet, one by one; what is done is noted, for a run that goes on after this one. */
export async function restartAll(world: EtcdWorld, options: RestartOptions): Promise<void> {
  const { progress, before } = options
  let { watchRefusals } = options
  const { restarted, inHand } = await noted(world)
  const left = world.state.spec.members.map(({ name }) => name).filter(name => !restarted.includes(name))
  let previous: MemberSpec | undefined
  const perMember = async (member: MemberSpec) => {
    if (previous && watchRefusals) await requireNobodyRefused(world, previous)
    await note(world, previous?.name, member.name)
    await before?.(member)
    await restart(world, member, options)
    watchRefusals &&= previous === undefined
    previous = member
  }
  await rolling(world, perMember, { progress, only: left, inHand })
  await note(world, previous?.name, undefined)
}

async function restart(world: EtcdWorld, member: MemberSpec, options: RestartOptions): Promise<void> {
  const { progress, restarted } = options
  const driver = world.driverOf(member)
  if (driver.acts) {
    progress(`${member.name}: restart`)
    return driver.restart()
  }
  const todo = driver.todo?.('restart') ?? ''
  const missing = `etcd of ${member.name} was not restarted`
  await waitForOwner(world, { missing, todo, done: () => restarted(member) }, progress)
}

/** The first member is the canary: who is refused there would be refused everywhere after the last. */
async function requireNobodyRefused(world: EtcdWorld, member: MemberSpec): Promise<void> {
  const refused = await turnedAwaySince(world, member, '')
  if (refused.length === 0) return
  throw new UserError(
    `${member.name}, the first that trusts the new authority alone, turns away clients from ${refused.join(', ')}`,
    {
      hint: 'give these consumers their new files and restart them, then run the same command again',
    },
  )
}

async function noted({ store }: EtcdWorld): Promise<AuthorityRotation> {
  const rotation = await readRotation(store)
  if (rotation?.kind === 'authority') return rotation
  throw new UserError('no change of the authority is under way')
}

async function note(world: EtcdWorld, done: string | undefined, inHand: string | undefined): Promise<void> {
  const rotation = await noted(world)
  const restarted = [...new Set([...rotation.restarted, ...(done === undefined ? [] : [done])])]
  await writeRotation(world.store, { ...rotation, restarted, inHand })
}
