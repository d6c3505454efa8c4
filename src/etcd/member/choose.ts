import type { MemberSpec } from '../cluster.ts'
import { type Counted, type Objection, survives, tally } from './rules.ts'

/** Who comes and who goes, in this order. */
export interface Scale {
  add: MemberSpec[]
  remove: string[]
}

/**
 * The way to `wanted` voters. Pure. `named` are the newcomers that the user names. What an earlier run left half done (in the inventory,
 * not a voter yet) comes first when growing, and goes first when shrinking.
 */
export function planScale(view: Counted, wanted: number, named: MemberSpec[]): Scale | Objection {
  const { voters } = tally(view)
  const [stranger] = view.strangers
  if (stranger) {
    const name = stranger.name || stranger.peerUrls[0]
    return {
      text: `${name} is in the cluster and not in the inventory`,
      hint: `kubectl karmada-net etcd member remove ${name}`,
    }
  }
  const known = new Set(view.members.map(({ spec }) => spec.name))
  const waiting = view.members.filter(({ member }) => !member || member.isLearner).map(({ spec }) => spec)
  const more = wanted - voters
  if (more <= 0) return { add: [], remove: [...waiting.map(({ name }) => name), ...leaving(view, -more)] }
  const newcomers = [...waiting, ...named.filter(({ name }) => !known.has(name))]
  if (newcomers.length === more) return { add: newcomers, remove: [] }
  const are = `from ${voters} to ${wanted} members ${more} more ${more === 1 ? 'is' : 'are'} needed, and ${newcomers.length || 'none'}`
  return {
    text: `${are} ${newcomers.length === 1 ? 'is' : 'are'} named`,
    hint: 'name each: --member NAME=ADDRESS,docker=HOST',
  }
}

/** Those that are down; then one by one from the fullest site, the youngest first, and the leader last of all. */
function leaving(view: Counted, count: number): string[] {
  const { down } = tally(view)
  const staying = view.members.filter(({ member }) => member && !member.isLearner)
  const gone: string[] = []
  while (gone.length < count && staying.length > 0) {
    const inSite = (site: string) => staying.filter(({ spec }) => spec.site === site).length
    const rank = ({ spec }: (typeof staying)[number]) => [
      down.includes(spec.name) ? 1 : 0,
      spec.name === view.leader?.spec.name ? 0 : 1,
      inSite(spec.site),
      view.members.findIndex(each => each.spec.name === spec.name),
    ]
    const [next] = staying.toSorted((a, b) => compareRanks(rank(b), rank(a)))
    if (!next) break
    staying.splice(staying.indexOf(next), 1)
    gone.push(next.spec.name)
  }
  return gone
}

function compareRanks(a: number[], b: number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

/** Even counts have one more to fail and survive no more. */
export function whyUnwiseCount(wanted: number): Objection | undefined {
  if (wanted % 2 === 1) return undefined
  return {
    text: `${wanted} members survive the loss of ${survives(wanted) || 'none'}, no more than ${wanted - 1} do, with one more to fail`,
    hint: `take ${wanted - 1} or ${wanted + 1}`,
    unwise: true,
  }
}
