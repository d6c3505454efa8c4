import { counted } from '../../counted.ts'
import type { Tally } from './tally.ts'

export interface KeyGroup {
  prefix: string
  keys: number
  /** Of keys and values as they are now, without their history. */
  bytes: number
  /** `bytes` was reckoned from some of the values. */
  estimated: boolean
}

/** Whose keys they are. */
export interface Owner extends KeyGroup {
  /** `both`: a Kubernetes cluster and a Karmada write to the same prefix, over each other. */
  kind: 'kubernetes' | 'karmada' | 'both' | 'karmada-net' | 'api-servers' | 'unknown'
  /** `Karmada, 3 members, 2 API servers`. */
  about: string
  /** The prefix of another owner that this one lies in. */
  nestedIn?: string
  groups: KeyGroup[]
}

/** What this plugin itself writes: locks and probes. */
const ownPrefix = 'karmada-net.io'

/** The value sizes of each group's samples, in bytes. */
export type SampledSizes = ReadonlyMap<string, readonly number[]>

/** Groups with their sizes, the largest first. Pure. */
export function sizedGroups({ groups }: Tally, sampled: SampledSizes): KeyGroup[] {
  return [...groups]
    .map(([prefix, { keys, keyBytes }]) => {
      const sizes = sampled.get(prefix) ?? []
      const mean = sizes.length > 0 ? sum(sizes) / sizes.length : 0
      return { prefix, keys, bytes: Math.round(keyBytes + mean * keys), estimated: sizes.length < keys }
    })
    .sort(bySize)
}

/** Groups by whom they belong to, the largest first. Pure. */
export function ownersOf(tally: Tally, groups: readonly KeyGroup[]): Owner[] {
  const roots = [...tally.roots].sort((a, b) => b.length - a.length)
  const mine = new Map<string, KeyGroup[]>()
  for (const group of groups) {
    const owner = roots.find(root => group.prefix.startsWith(`${root}/`)) ?? topOf(group.prefix)
    mine.set(owner, [...(mine.get(owner) ?? []), group])
  }
  return [...mine].map(([prefix, own]) => owner(prefix, own, roots, tally)).sort(bySize)
}

function owner(prefix: string, groups: KeyGroup[], roots: string[], tally: Tally): Owner {
  const nestedIn = roots.find(root => root !== prefix && prefix.startsWith(`${root}/`))
  return {
    prefix,
    keys: sum(groups.map(({ keys }) => keys)),
    bytes: sum(groups.map(({ bytes }) => bytes)),
    estimated: groups.some(({ estimated }) => estimated),
    ...(roots.includes(prefix) ? apiServer(prefix, groups, tally) : otherOwner(prefix)),
    ...(nestedIn !== undefined && { nestedIn }),
    groups,
  }
}

function apiServer(root: string, groups: KeyGroup[], { karmadas }: Tally): Pick<Owner, 'kind' | 'about'> {
  const countOf = (resource: string) => groups.find(({ prefix }) => prefix === `${root}/${resource}`)?.keys ?? 0
  const nodes = countOf('minions')
  const members = countOf('cluster.karmada.io/clusters')
  const isKarmada = karmadas.has(root) || members > 0
  const kind = isKarmada ? (nodes > 0 ? 'both' : 'karmada') : 'kubernetes'
  const name = { karmada: 'Karmada', kubernetes: 'Kubernetes', both: 'Kubernetes AND Karmada in one prefix' }[kind]
  const numbers = [
    ...(nodes > 0 ? [counted(nodes, 'node')] : []),
    ...(isKarmada ? [counted(members, 'member')] : []),
    counted(countOf('masterleases'), 'API server'),
  ]
  return { kind, about: `${name}, ${numbers.join(', ')}` }
}

function otherOwner(prefix: string): Pick<Owner, 'kind' | 'about'> {
  if (prefix === ownPrefix) return { kind: 'karmada-net', about: 'kubectl karmada-net' }
  if (prefix === 'compact_rev_key') return { kind: 'api-servers', about: 'all API servers: their common compaction' }
  return { kind: 'unknown', about: 'unknown' }
}

/** `/planes` of `/planes/a/x`, `compact_rev_key` of itself. */
const topOf = (prefix: string): string => /^\/?[^/]*/.exec(prefix)?.[0] ?? prefix

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
const bySize = (a: KeyGroup, b: KeyGroup) => b.bytes - a.bytes || (a.prefix < b.prefix ? -1 : 1)
