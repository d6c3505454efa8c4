import { UserError } from '../../errors.ts'
import type { MemberSpec } from '../cluster.ts'
import type { Found } from '../drivers/driver.ts'
import type { EtcdWorld } from '../world.ts'

/** Clocks further apart make new certificates "not yet valid" and leases end early. */
const maxSkewMs = 5000
const minFreeBytes = 1024 ** 3

export interface Obstacle {
  text: string
  hint?: string
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
  if (clockSkewMs !== undefined && Math.abs(clockSkewMs) > maxSkewMs) {
    const seconds = Math.round(Math.abs(clockSkewMs) / 1000)
    result.push({ text: `its clock is ${seconds} s ${clockSkewMs > 0 ? 'ahead of' : 'behind'} this machine's` })
  }
  if (freeBytes !== undefined && freeBytes < minFreeBytes) {
    result.push({ text: `only ${Math.floor(freeBytes / 1024 ** 2)} MiB are free where its data lies` })
  }
  return result
}

/** Looks at all machines, changes nothing. Throws UserError with every obstacle. */
export async function preflight(world: EtcdWorld): Promise<void> {
  const { state } = world
  const found = await Promise.all(
    state.spec.members.map(async member => {
      const driver = world.driverOf(member)
      // Of a machine that nobody can look at it is not known what is stored there.
      const met = obstacles(member, await driver.inspect(), { formed: state.formed && driver.acts })
      return met.map(({ text, hint }) => ({ text: `${member.name} (${driver.where}): ${text}`, hint }))
    }),
  )
  const met = found.flat()
  if (met.length === 0) return
  throw new UserError(met.map(({ text }) => text).join('\n'), { hint: met.find(({ hint }) => hint)?.hint })
}
