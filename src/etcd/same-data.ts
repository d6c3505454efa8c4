import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import { code, EtcdError } from './client/errors.ts'
import type { EtcdWorld } from './world.ts'

/** What one member's data come to at a revision. */
export interface Hashed {
  name: string
  hash: number
  compactRevision: bigint
}

const attempts = 10

/**
 * Compares the data of all members that are no learners, at one revision. Answers that revision.
 * Throws UserError naming who differs, and what a member answers that cannot tell.
 */
export async function sameData(world: EtcdWorld): Promise<bigint> {
  for (let attempt = 1; ; attempt++) {
    const { revision, hashed } = await hashAll(world).catch(error => {
      // A member that is behind, or a compaction that came between.
      if (attempt < attempts && error instanceof EtcdError && error.code === code.outOfRange)
        return { revision: 0n, hashed: [] }
      throw error
    })
    const comparable = hashed.length > 0 && new Set(hashed.map(each => each.compactRevision)).size === 1
    if (comparable || attempt === attempts) {
      const difference = whoDiffers(hashed)
      if (!difference) return revision
      throw new UserError(`the members do not have the same data at revision ${revision}: ${difference}`, {
        hint: 'take a snapshot of a member that you trust, then replace the other: kubectl karmada-net etcd member replace NAME',
      })
    }
    await pause(300, world.signal)
  }
}

async function hashAll(world: EtcdWorld): Promise<{ revision: bigint; hashed: Hashed[] }> {
  const { signal } = world
  const asked = await Promise.all(
    world.state.spec.members.map(async spec => ({ spec, status: await world.clientOf(spec).status({ signal }) })),
  )
  const voters = asked.filter(({ status }) => !status.isLearner)
  const [revision = 0n] = voters.map(({ status }) => status.revision).sort((a, b) => Number(a - b))
  const hashed = await Promise.all(
    voters.map(async ({ spec }) => ({ name: spec.name, ...(await world.clientOf(spec).hashKv(revision, { signal })) })),
  )
  return { revision, hashed }
}

/** `m3 differs from m1, m2`; undefined: nobody does. Pure. */
export function whoDiffers(hashed: readonly Hashed[]): string | undefined {
  const groups = Map.groupBy(hashed, ({ hash, compactRevision }) => `${hash} ${compactRevision}`)
  if (groups.size <= 1) return undefined
  const names = [...groups.values()].map(group => group.map(({ name }) => name)).sort((a, b) => b.length - a.length)
  const [most = [], ...rest] = names
  if (most.length > hashed.length / 2) return `${rest.flat().join(', ')} differs from ${most.join(', ')}`
  return names
    .map(group => group.join(' and '))
    .join(', ')
    .concat(' all differ')
}
