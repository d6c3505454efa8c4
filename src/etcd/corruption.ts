import { UserError } from '../errors.ts'
import { type Comparison, compareData } from './same-data.ts'
import { alarmsIn, type ClusterView } from './view.ts'
import type { EtcdWorld } from './world.ts'

export const isCorrupt = (view: ClusterView): boolean => alarmsIn(view).some(({ alarm }) => alarm === 'CORRUPT')

/**
 * Whose data differ, while a CORRUPT alarm is raised; undefined: none is. The alarm itself may name the wrong member: etcd's periodic check
 * believes the leader, and its check of compactions names nobody (0) where there is no majority. Members that are silent are left out.
 * Throws UserError where a member cannot tell its hash.
 */
export async function lookForCorruption(world: EtcdWorld, view: ClusterView): Promise<Comparison | undefined> {
  if (!isCorrupt(view)) return undefined
  const answering = view.members.filter(({ status }) => status && !status.isLearner)
  return compareData(
    world,
    answering.map(({ spec }) => spec),
  )
}

/** For what restarts members, or takes one's word for the others'. Pure. Throws UserError. */
export function refuseCorrupt(view: ClusterView): void {
  if (isCorrupt(view)) throw corruptError()
}

/** The alarm makes every member unready: no wait would end. */
export const corruptError = (): UserError =>
  new UserError('a CORRUPT alarm is raised: the data of a member differ from those of the others', {
    hint: 'kubectl karmada-net etcd status names it',
  })
