import { groupBelow, groupOf, karmadaRootOf, rootOf } from './group.ts'

/** Counts keys as they go by. Its memory depends on the number of groups alone, and that has a limit. */
export interface Tally {
  keys: number
  groups: Map<string, GroupTally>
  /** Prefixes of API servers. */
  roots: Set<string>
  /** Those of them that are Karmada's. */
  karmadas: Set<string>
}

export interface GroupTally {
  keys: number
  /** Of the keys themselves. */
  keyBytes: number
  /** Some of its keys, spread evenly: by the size of their values that of all is estimated. */
  samples: Buffer[]
  /** Every how many keys one became a sample. */
  stride: number
}

export const samplesPerGroup = 16
const mostGroups = 2000
/** What is filed where there are more groups than that. */
const otherGroup = '(others)'

export const newTally = (): Tally => ({ keys: 0, groups: new Map(), roots: new Set(), karmadas: new Set() })

/** `below`: the prefix that the list is about. */
export function count(tally: Tally, key: Buffer, below?: string): void {
  const text = key.toString('utf8')
  const name = below === undefined ? groupOf(text) : groupBelow(below, text)
  const group = groupNamed(tally, name)
  if (group.keys % group.stride === 0) group.samples.push(key)
  if (group.samples.length > samplesPerGroup) thin(group)
  group.keys++
  group.keyBytes += key.length
  tally.keys++
  const root = rootOf(text)
  if (root !== undefined) tally.roots.add(root)
  const karmada = karmadaRootOf(text)
  if (karmada !== undefined) tally.karmadas.add(karmada)
}

function groupNamed({ groups }: Tally, wanted: string): GroupTally {
  const name = groups.has(wanted) || groups.size < mostGroups ? wanted : otherGroup
  const group = groups.get(name) ?? { keys: 0, keyBytes: 0, samples: [], stride: 1 }
  groups.set(name, group)
  return group
}

/** Half as many, twice as far apart. */
function thin(group: GroupTally): void {
  group.samples = group.samples.filter((_, index) => index % 2 === 0)
  group.stride *= 2
}
