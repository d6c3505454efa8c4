import { UserError } from '../../errors.ts'
import { formatBytes } from '../bytes.ts'
import type { MemberSpec } from '../cluster.ts'
import type { SnapshotFacts } from '../snapshot/inspect.ts'
import { type ClusterView, lookAt } from '../view.ts'
import type { EtcdWorld } from '../world.ts'

/** What a restore puts an end to. */
export interface Before {
  /** Members that answer. */
  alive: string[]
  hasQuorum: boolean
  /** The newest revision that any of them has. */
  current: bigint | undefined
}

const beforeOf = ({ members, hasQuorum }: Pick<ClusterView, 'members' | 'hasQuorum'>): Before => {
  const answering = members.filter(({ status }) => status)
  const revisions = answering.flatMap(({ status }) => status?.revision ?? [])
  return {
    alive: answering.map(({ spec }) => spec.name),
    hasQuorum,
    current: revisions.reduce<bigint | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined),
  }
}

export const lookBefore = async (world: EtcdWorld): Promise<Before> => beforeOf(await lookAt(world))

/** Looks at all machines before any of them is stopped. Throws UserError with all that stands in the way. */
export async function requireMachines(
  world: EtcdWorld,
  members: readonly MemberSpec[],
  { sizeBytes }: Pick<SnapshotFacts, 'sizeBytes'>,
): Promise<void> {
  const found = await Promise.all(
    members.map(async member => {
      const driver = world.driverOf(member)
      const { foreign, freeBytes } = await driver.inspect()
      const at = `${member.name} (${driver.where})`
      if (foreign !== undefined) return `${at}: ${foreign}`
      // The snapshot itself lies there, too, until it is restored.
      const needed = 2 * sizeBytes
      if (freeBytes === undefined || freeBytes >= needed) return []
      return `${at}: ${formatBytes(freeBytes)} are free, the snapshot and what is made of it need ${formatBytes(needed)}`
    }),
  )
  const wrong = found.flat()
  if (wrong.length > 0) throw new UserError(wrong.join('\n'))
}
