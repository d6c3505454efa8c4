import type { ProbeSettings } from '../settings.ts'

/** What one probe found. `connect`: TCP alone, `ready`: GET /readyz over TLS. */
export type Probe =
  | { probe: 'connect' | 'ready'; ok: true; tookMs: number }
  | { probe: 'connect' | 'ready'; ok: false; why: string }

/**
 * `down` is who does not accept connections: they break. `draining` is who accepts, and does not say that it is ready: it keeps what it
 * has and gets no more. `unknown` has not been judged yet.
 */
export type HealthState = 'unknown' | 'up' | 'draining' | 'down'

/** Of one server. */
export interface Health {
  state: HealthState
  /** Milliseconds of the clock that the judge was given. */
  changedMs: number
  /** Why it is not up. */
  reason?: string
  connect: Streak
  ready: Streak
}

/** So many in a row of the last kind of result. */
interface Streak {
  ok: boolean
  count: number
  tookMs?: number
}

export interface Rules extends Pick<ProbeSettings, 'fall' | 'rise'> {
  /** False where /readyz cannot be asked, as there is no authority to verify answers with: then accepting is enough. */
  asksReady: boolean
}

/** Nothing is known of it. Pure. */
export const unknownHealth = (nowMs: number): Health => ({
  state: 'unknown',
  changedMs: nowMs,
  connect: { ok: true, count: 0 },
  ready: { ok: true, count: 0 },
})

/** What is thought of a server after one more probe. Pure: the clock comes from outside. */
export function judge(before: Health, probe: Probe, { fall, rise, asksReady }: Rules, nowMs: number): Health {
  const after: Health = { ...before, [probe.probe]: longer(before[probe.probe], probe) }
  const { connect, ready } = after
  const failed = probe.ok ? undefined : probe.why
  if (probe.probe === 'connect' && failed !== undefined && connect.count >= fall) {
    // What /readyz said before no longer counts for when it comes back.
    return { ...become(after, 'down', failed, nowMs), ready: { ok: true, count: 0 } }
  }
  // A connection that could not be made is the business of the other probe.
  if (!connect.ok) return after
  if (probe.probe === 'ready' && failed !== undefined) {
    // Of one that is not up, the first "no" is enough: it was never said to be ready.
    const enough = before.state === 'up' || before.state === 'unknown' ? fall : 1
    return ready.count >= enough && connect.count > 0 ? become(after, 'draining', failed, nowMs) : after
  }
  if (before.state === 'up') return after
  // One that nobody has judged yet is asked each thing once.
  const needed = before.state === 'unknown' ? 1 : rise
  const isUp = connect.count >= needed && (!asksReady || (ready.ok && ready.count >= needed))
  return isUp ? become(after, 'up', undefined, nowMs) : after
}

/** Milliseconds until the same probe again. A first failure is looked into at once, and who may be coming back more often. Pure. */
export function pauseAfter(probe: Probe['probe'], health: Health, settings: ProbeSettings): number {
  const every = probe === 'connect' ? settings.connectEveryMs : settings.readyEveryMs
  const { ok, count } = health[probe]
  if (!ok && count < settings.fall && (health.state === 'up' || health.state === 'unknown')) return 0
  return probe === 'ready' && health.state !== 'up' ? Math.min(every, comingBackMs) : every
}

/** Between two looks at whether a server that was not up is ready. */
const comingBackMs = 1000

function longer(before: Streak, probe: Probe): Streak {
  const count = before.ok === probe.ok ? before.count + 1 : 1
  const tookMs = probe.ok ? probe.tookMs : before.tookMs
  return { ok: probe.ok, count, ...(tookMs !== undefined && { tookMs }) }
}

function become(health: Health, state: HealthState, reason: string | undefined, nowMs: number): Health {
  const { reason: _, ...rest } = health
  const changedMs = health.state === state ? health.changedMs : nowMs
  return { ...rest, state, changedMs, ...(reason !== undefined && { reason }) }
}
