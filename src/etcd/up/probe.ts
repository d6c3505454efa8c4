import { randomBytes } from 'node:crypto'
import { UserError } from '../../errors.ts'
import type { EtcdWorld } from '../world.ts'

/** Gone by itself should this run be cut off. Seconds. */
const leaseSeconds = 60

/**
 * Writes through each member and reads it back through the next, linearizably. Leaves nothing behind. Answers the slowest.
 * Throws UserError where a member answers with something else than was written.
 */
export async function probe(world: EtcdWorld): Promise<{ member: string; elapsedMs: number }> {
  const { members } = world.state.spec
  const took: { member: string; elapsedMs: number }[] = []
  for (const [index, member] of members.entries()) {
    const reader = members[(index + 1) % members.length] ?? member
    const key = `karmada-net.io/probe/${member.name}`
    const value = randomBytes(16).toString('hex')
    const [writing, reading] = [world.clientOf(member), world.clientOf(reader)]
    const began = performance.now()
    const lease = await writing.grantLease(leaseSeconds)
    await writing.put(key, value, { lease })
    const { kvs } = await reading.range({ key })
    if (kvs[0]?.value.toString() !== value) {
      throw new UserError(`what ${member.name} was given is not what ${reader.name} answers`, {
        hint: 'kubectl karmada-net etcd verify',
      })
    }
    await writing.revokeLease(lease)
    took.push({ member: member.name, elapsedMs: performance.now() - began })
  }
  const [slowest] = took.toSorted((a, b) => b.elapsedMs - a.elapsedMs)
  return slowest ?? { member: '', elapsedMs: 0 }
}
