import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientIdentity } from '../../../src/etcd/client/types.ts'
import { createGateway, type Gateway } from './gateway.ts'

export interface LedgerOptions {
  /** `https://10.0.0.1:2379` of every member to write to. */
  endpoints: string[]
  identity(): Promise<ClientIdentity>
  /** Default 400. */
  putsPerSecond?: number
}

export interface LedgerReport {
  /** Puts that etcd has acknowledged. */
  acked: number
  /** Keys that were acknowledged and are not there, or not as they were put. */
  lost: string[]
  /** Between two acknowledged puts, whichever they are. Milliseconds. */
  longestGapMs: number
  /** Acknowledged, on average. */
  putsPerSecond: number
  /** What members said when they did not acknowledge, and how often. */
  refusals: Record<string, number>
}

/** Writes all the time, and remembers what was acknowledged. */
export interface Ledger {
  /** So far. */
  readonly acked: number
  /** Resolves with the next acknowledged put. Throws after `seconds` without one. */
  nextAck(seconds?: number): Promise<void>
  /** Stops writing. Safe to call again. */
  stop(): Promise<void>
  /**
   * Reads everything back, linearizably; stops first. `upTo`: only what was put at this revision or before, for a restored cluster.
   * Throws where no member answers within a minute.
   */
  report(options?: { upTo?: bigint }): Promise<LedgerReport>
  [Symbol.asyncDispose](): Promise<void>
}

/** An answer takes this long at most; then another member is asked. A paused member takes connections and never answers. */
const answerMs = 2000
/** A member that refused is left alone for this long, and one that owes an answer for this long gets no more to do, if there are others. */
const avoidMs = 500
/** As many as come up in an election; more would only keep the members from recovering. */
const mostInFlight = 1000
const valueBytes = 200

export function startLedger({ endpoints, identity, putsPerSecond = 400 }: LedgerOptions): Ledger {
  const prefix = `/ledger/${randomBytes(4).toString('hex')}/`
  const gateway = createGateway(identity)
  /** Revision by number; undefined where an earlier try of the same put may have been carried out as well. */
  const revisions = new Map<number, bigint | undefined>()
  const refusals: Record<string, number> = {}
  const avoided = new Map<string, number>()
  /** Since when members owe answers, the oldest first. */
  const owed = new Map(endpoints.map(endpoint => [endpoint, new Set<number>()]))
  const inFlight = new Set<Promise<void>>()
  const gap = createGap()
  let next = 0
  let stopping = false

  function choose(turn: number): string {
    const now = performance.now()
    const fit = endpoints.filter(endpoint => {
      const [oldest = now] = owed.get(endpoint) ?? []
      return (avoided.get(endpoint) ?? 0) < now && now - oldest < avoidMs
    })
    const among = fit.length > 0 ? fit : endpoints
    return among[turn % among.length] ?? ''
  }

  async function put(number: number): Promise<void> {
    const key = prefix + String(number).padStart(9, '0')
    for (let tries = 0; ; tries++) {
      const endpoint = choose(number + tries)
      const asked = performance.now()
      owed.get(endpoint)?.add(asked)
      try {
        const revision = await gateway.put(endpoint, key, contentOf(key), answerMs)
        revisions.set(number, tries === 0 ? revision : undefined)
        gap.ack()
        return
      } catch (error) {
        const said = `${endpoint} ${(error as Error).message}`
        refusals[said] = (refusals[said] ?? 0) + 1
        avoided.set(endpoint, performance.now() + avoidMs)
      } finally {
        owed.get(endpoint)?.delete(asked)
      }
      if (stopping) return
      await sleep(Math.min(50 * 2 ** tries, 800))
    }
  }

  async function write(): Promise<void> {
    const began = performance.now()
    while (!stopping) {
      const due = ((performance.now() - began) / 1000) * putsPerSecond
      for (; next < due && inFlight.size < mostInFlight; next++) {
        const work = put(next).finally(() => inFlight.delete(work))
        inFlight.add(work)
      }
      await sleep(5)
    }
    await Promise.all(inFlight)
    gap.end()
  }
  const writing = write()

  const ledger: Ledger = {
    get acked() {
      return revisions.size
    },
    async nextAck(seconds = 30) {
      const before = revisions.size
      const end = performance.now() + seconds * 1000
      while (revisions.size === before) {
        if (performance.now() > end) throw new Error(`no put was acknowledged in ${seconds} s: ${shown(refusals)}`)
        await sleep(10)
      }
    },
    async stop() {
      stopping = true
      await writing
    },
    async report({ upTo } = {}) {
      await ledger.stop()
      const there = await readBack(gateway, endpoints, prefix)
      const expected = [...revisions].filter(
        ([, revision]) => upTo === undefined || (revision !== undefined && revision <= upTo),
      )
      const lost = expected.flatMap(([number, revision]) => {
        const key = prefix + String(number).padStart(9, '0')
        const found = there.get(key)
        const whole = found?.value === contentOf(key) && (revision === undefined || found.revision === revision)
        return whole ? [] : [key]
      })
      const { longestMs, totalMs } = gap
      const rate = Math.round(revisions.size / (totalMs() / 1000))
      return { acked: revisions.size, lost, longestGapMs: Math.round(longestMs()), putsPerSecond: rate, refusals }
    },
    async [Symbol.asyncDispose]() {
      await ledger.stop()
      gateway.close()
    },
  }
  return ledger
}

/** Every key has a value of its own that can be told from the key alone. */
const contentOf = (key: string): string => createHash('sha256').update(key).digest('hex').padEnd(valueBytes, '.')

function createGap() {
  const began = performance.now()
  let [last, ended, longest] = [began, 0, 0]
  const ack = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  return {
    ack,
    end() {
      ended = performance.now()
      longest = Math.max(longest, ended - last)
    },
    longestMs: () => longest,
    totalMs: () => ended - began,
  }
}

async function readBack(gateway: Gateway, endpoints: string[], prefix: string) {
  const there = new Map<string, { value: string; revision: bigint }>()
  const end = performance.now() + 60_000
  for (let from = prefix, turn = 0; ; ) {
    const endpoint = endpoints[turn % endpoints.length] ?? ''
    try {
      const { kvs, more } = await gateway.range(endpoint, from, prefix, 10_000)
      for (const { key, value, revision } of kvs) there.set(key, { value, revision })
      if (!more) return there
      from = `${kvs.at(-1)?.key}\0`
    } catch (error) {
      if (performance.now() > end) throw error
      turn++
      await sleep(200)
    }
  }
}

/** One line, for people. */
export const sentence = ({ acked, lost, longestGapMs, putsPerSecond }: LedgerReport): string =>
  `${acked} puts acknowledged (${putsPerSecond}/s), ${lost.length} lost, longest gap between two ${longestGapMs} ms`

const shown = (refusals: Record<string, number>): string =>
  Object.entries(refusals)
    .map(([said, count]) => `${count}x ${said}`)
    .join('; ')
