import type { Known } from './discovery/known.ts'
import type { Health } from './health/judge.ts'
import type { ServerReport, ServerState } from './report.ts'
import type { VipSettings } from './settings.ts'

/** What is to be done with one API server. */
export interface Verdict {
  /** `host:port` */
  address: string
  source: ServerReport['source']
  state: ServerState
  /** In the table at all? */
  keep: boolean
  weight: number
  reason?: string
}

export interface Judged {
  settings: Pick<VipSettings, 'staticServers' | 'drained' | 'drainMs'>
  known: Known
  health: ReadonlyMap<string, Health>
  /** `host:port` of those in the kernel's table. */
  present: ReadonlySet<string>
  nowMs: number
}

/**
 * Who gets connections, who only keeps them, and who goes. There is always one with weight: where nobody is up, those who are the
 * least bad stay (we may be the ones who cannot see). Pure.
 */
export function verdicts(world: Judged): Verdict[] {
  const all = candidates(world).map(candidate => ({ ...candidate, ...judgeOne(candidate, world) }))
  if (all.some(({ weight }) => weight > 0)) return all
  const best = Math.min(...all.map(rank))
  return all.map(one => (rank(one) === best ? { ...one, keep: true, weight: 1, reason: lastResort(one) } : one))
}

/** `host:port` of everybody who may be an API server: what a boot begins with, before anybody was probed. Pure. */
export const bootServers = ({ settings, known }: Pick<Judged, 'settings' | 'known'>): string[] => [
  ...new Set([...known.current, ...settings.staticServers]),
]

interface Candidate {
  address: string
  source: ServerReport['source']
  /** Since when it is no endpoint of the cluster any more. */
  leftMs?: number
}

function candidates({ settings, known }: Judged): Candidate[] {
  const fixed = new Set(settings.staticServers)
  const found: Candidate[] = known.current.map(address => ({
    address,
    source: fixed.has(address) ? 'both' : 'discovered',
  }))
  const named = new Set(known.current)
  for (const address of fixed) if (!named.has(address)) found.push({ address, source: 'static' })
  for (const [address, leftMs] of known.former) {
    if (!named.has(address) && !fixed.has(address)) found.push({ address, source: 'discovered', leftMs })
  }
  // By code units: a collation would load the tables of all languages, megabytes on every node.
  return found.toSorted((a, b) => (a.address < b.address ? -1 : 1))
}

type Judgement = Pick<Verdict, 'state' | 'keep' | 'weight' | 'reason'>

function judgeOne({ address, leftMs }: Candidate, { settings, health, present, nowMs }: Judged): Judgement {
  const { state = 'unknown', changedMs = nowMs, reason } = health.get(address) ?? {}
  const because = reason === undefined ? {} : { reason }
  const isPresent = present.has(address)
  if (state === 'down') return { state, keep: false, weight: 0, ...because }
  if (leftMs !== undefined) {
    // What it still carries has until then to end by itself.
    const keep = isPresent && nowMs - leftMs < settings.drainMs
    return { state: 'draining', keep, weight: 0, reason: 'the cluster no longer names it' }
  }
  if (settings.drained.includes(address)) return { state: 'drained', keep: true, weight: 0, ...because }
  if (state === 'draining') return { state, keep: nowMs - changedMs < settings.drainMs, weight: 0, ...because }
  // Whoever was in the table when we came was put there by somebody who had judged it.
  const trusted = state === 'up' || isPresent
  return { state, keep: trusted, weight: trusted ? 1 : 0, ...because }
}

/** The lower, the better as a last resort. */
function rank({ state, reason }: Pick<Verdict, 'state' | 'reason'>): number {
  if (state === 'unknown') return 0
  if (state === 'drained' && reason === undefined) return 1
  return state === 'draining' || state === 'drained' ? 2 : 3
}

const lastResort = ({ state, reason }: Pick<Verdict, 'state' | 'reason'>): string =>
  state === 'drained' && reason === undefined
    ? 'drained, but no other server is up'
    : `${reason ?? 'not probed yet'}, but no server is up`
