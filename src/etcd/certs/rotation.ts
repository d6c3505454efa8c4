import { UserError } from '../../errors.ts'
import type { Store } from '../store/store.ts'

/**
 * How far the change of the authority has come; each phase is begun only once the one before is true everywhere.
 *
 * `trust`: members learn to trust both authorities, one restart each. `hand-over`: clients are issued by the new one, and consumers
 * are given theirs together with both authorities. `leaves`: members show certificates of the new one, without a restart. `retire`:
 * members trust the new one alone, one restart each.
 */
export type Phase = 'trust' | 'hand-over' | 'leaves' | 'retire'

export interface AuthorityRotation {
  kind: 'authority'
  phase: Phase
  /** Members restarted in this phase. */
  restarted: string[]
  /** The member being restarted: down, perhaps, when a run is cut off. */
  inHand?: string | undefined
}

/** New leaves by the same authority. */
export interface LeafRotation {
  kind: 'leaves'
  /** SHA-256 fingerprints of those to be replaced, so that a run that was cut off does not begin again. */
  replace: string[]
}

export type Rotation = AuthorityRotation | LeafRotation

export const rotationFile = 'rotation.json'
/** The authority to come, while members learn to trust it. */
export const nextFiles = { certificate: 'ca.next.crt', key: 'ca.next.key' }

/** Undefined: none is under way. Throws UserError for a file that cannot be read. */
export async function readRotation(store: Store): Promise<Rotation | undefined> {
  const text = await store.read(rotationFile)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Rotation
  } catch (cause) {
    throw new UserError(`${rotationFile} in ${store.where} is damaged`, { cause })
  }
}

export const rotationText = (rotation: Rotation): string => `${JSON.stringify(rotation, undefined, 2)}\n`

export const writeRotation = (store: Store, rotation: Rotation): Promise<void> =>
  store.write({ [rotationFile]: rotationText(rotation) })

export type Which = 'current' | 'next'

/** Who signs for whom, and who is trusted. Pure. */
export function roles(rotation: Rotation | undefined): { members: Which; clients: Which; trusted: Which[] } {
  if (rotation?.kind !== 'authority') return { members: 'current', clients: 'current', trusted: ['current'] }
  switch (rotation.phase) {
    case 'trust':
      return { members: 'current', clients: 'current', trusted: ['current', 'next'] }
    case 'hand-over':
      return { members: 'current', clients: 'next', trusted: ['current', 'next'] }
    case 'leaves':
      return { members: 'next', clients: 'next', trusted: ['current', 'next'] }
    case 'retire':
      return { members: 'next', clients: 'next', trusted: ['next'] }
  }
}

const phases: Phase[] = ['trust', 'hand-over', 'leaves', 'retire']

export const isPast = ({ phase }: AuthorityRotation, other: Phase): boolean =>
  phases.indexOf(phase) > phases.indexOf(other)
