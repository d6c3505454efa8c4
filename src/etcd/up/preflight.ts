import { UserError } from '../../errors.ts'
import { clockTrouble, ownClockTrouble } from '../clocks.ts'
import type { MemberSpec } from '../cluster.ts'
import type { Found } from '../drivers/driver.ts'
import type { EtcdWorld } from '../world.ts'

const minFreeBytes = 1024 ** 3

export interface Obstacle {
  text: string
  hint?: string | undefined
}

/** What stands in the way on one machine; empty: nothing. Pure. */
export function obstacles({ name }: MemberSpec, found: Found, { formed }: { formed: boolean }): Obstacle[] {
  const { foreign, clockSkewMs, freeBytes, state } = found
  const result: Obstacle[] = []
  if (foreign !== undefined) result.push({ text: foreign })
  if (formed && state === 'absent') {
    // With an empty log it would take its old place and forget its votes: facts of etcd's raft, and a panic at best.
    const hint = `kubectl karmada-net etcd member replace ${name}`
    result.push({ text: 'what it had stored is gone; started empty it would break what it has promised', hint })
  }
  const clock = clockTrouble(clockSkewMs)
  if (clock) result.push(clock)
  if (freeBytes !== undefined && freeBytes < minFreeBytes) {
    result.push({ text: `only ${Math.floor(freeBytes / 1024 ** 2)} MiB are free where its data lies` })
  }
  return result
}

/** Looks at all machines, changes nothing. Throws UserError with every obstacle. */
export async function preflight(world: EtcdWorld): Promise<void> {
  const { state } = world
  const machines = await Promise.all(
    state.spec.members.map(async member => ({ member, found: await world.driverOf(member).inspect() })),
  )
  const own = ownClockTrouble(machines.map(({ member, found }) => ({ name: member.name, skewMs: found.clockSkewMs })))
  const theirs = machines.flatMap(({ member, found }) => {
    const { where, acts } = world.driverOf(member)
    // Of a machine that nobody can look at it is not known what is stored there.
    const met = obstacles(member, own ? { ...found, clockSkewMs: 0 } : found, { formed: state.formed && acts })
    return met.map(({ text, hint }) => ({ text: `${member.name} (${where}): ${text}`, hint }))
  })
  const met: Obstacle[] = own ? [own, ...theirs] : theirs
  if (met.length === 0) return
  throw new UserError(met.map(({ text }) => text).join('\n'), { hint: met.find(({ hint }) => hint)?.hint })
}
