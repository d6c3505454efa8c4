import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import { code, EtcdError } from './client/errors.ts'
import type { MemberSpec } from './cluster.ts'
import type { EtcdWorld } from './world.ts'

/** What one member's data come to at a revision. */
export interface Hashed {
  name: string
  hash: number
  compactRevision: bigint
}

/** Members by whether their data are those of more than half. */
export interface Comparison {
  revision: bigint
  /** Empty: no data are those of more than half. */
  most: string[]
  /** Everybody else; empty: all have the same. */
  odd: string[]
}

const attempts = 10

/**
 * Compares the data of all members that are no learners, at one revision. Answers that revision.
 * Throws UserError naming who differs, and what a member answers that cannot tell.
 */
export async function sameData(world: EtcdWorld): Promise<bigint> {
  const { revision, hashed } = await hashes(world)
  const difference = whoDiffers(hashed)
  if (!difference) return revision
  const { most, odd } = compared(hashed)
  throw new UserError(`the members do not have the same data at revision ${revision}: ${difference}`, {
    hint:
      most.length > 0
        ? `kubectl karmada-net etcd member replace ${odd[0]}`
        : 'take a snapshot of a member that you trust, then replace the other: kubectl karmada-net etcd member replace NAME --force',
  })
}

/** As `sameData`, of these members alone, and a difference is an answer. */
export async function compareData(world: EtcdWorld, members: readonly MemberSpec[]): Promise<Comparison> {
  const { revision, hashed } = await hashes(among(world, members))
  return { revision, ...compared(hashed) }
}

/** The same world with these members alone. */
export const among = (world: EtcdWorld, members: readonly MemberSpec[]): EtcdWorld => ({
  ...world,
  state: { ...world.state, spec: { ...world.state.spec, members: [...members] } },
})

async function hashes(world: EtcdWorld): Promise<{ revision: bigint; hashed: Hashed[] }> {
  for (let attempt = 1; ; attempt++) {
    const { revision, hashed } = await hashAll(world).catch(error => {
      // A member that is behind, or a compaction that came between.
      if (attempt < attempts && error instanceof EtcdError && error.code === code.outOfRange)
        return { revision: 0n, hashed: [] }
      throw error
    })
    const comparable = hashed.length > 0 && new Set(hashed.map(each => each.compactRevision)).size === 1
    if (comparable || attempt === attempts) return { revision, hashed }
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
  const groups = grouped(hashed)
  if (groups.length <= 1) return undefined
  const { most, odd } = compared(hashed)
  if (most.length > 0) return `${odd.join(', ')} differs from ${most.join(', ')}`
  return groups
    .map(group => group.join(' and '))
    .join(', ')
    .concat(' all differ')
}

/** Pure. */
export function compared(hashed: readonly Hashed[]): Pick<Comparison, 'most' | 'odd'> {
  const [first = [], ...rest] = grouped(hashed)
  return first.length > hashed.length / 2
    ? { most: first, odd: rest.flat() }
    : { most: [], odd: [first, ...rest].flat() }
}

/** Names of those who have the same, the most numerous first. */
function grouped(hashed: readonly Hashed[]): string[][] {
  const groups = Map.groupBy(hashed, ({ hash, compactRevision }) => `${hash} ${compactRevision}`)
  return [...groups.values()].map(group => group.map(({ name }) => name)).sort((a, b) => b.length - a.length)
}
