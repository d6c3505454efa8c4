import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientIdentity } from '../../../src/etcd/client/types.ts'
import { createGateway, type Gateway } from './gateway.ts'
import { createLane, type Lane } from './lanes.ts'

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

/** A paused member takes connections and never answers. */
const answerMs = 2000
/** What could not be written in time is made up for, up to this; a machine that is too slow for the rate gets no ever longer queue. */
const mostBehindMs = 5000
const valueBytes = 200

export function startLedger({ endpoints, identity, putsPerSecond = 400 }: LedgerOptions): Ledger {
  const prefix = `/ledger/${randomBytes(4).toString('hex')}/`
  const gateway = createGateway(identity)
  const lanes = endpoints.map(createLane)
  /** By number; undefined where an earlier try of the same put may have been carried out as well. */
  const revisions = new Map<number, bigint | undefined>()
  const tried = new Set<number>()
  const refusals: Record<string, number> = {}
  const inFlight = new Set<Promise<void>>()
  const waiting: number[] = []
  const gap = createGap()
  let turn = 0
  let stopping = false

  const keyOf = (number: number) => prefix + String(number).padStart(9, '0')

  async function put(number: number, lane: Lane): Promise<void> {
    const again = tried.has(number)
    tried.add(number)
    try {
      const key = keyOf(number)
      const revision = await lane.through(() => gateway.put(lane.endpoint, key, contentOf(key), answerMs))
      revisions.set(number, again ? undefined : revision)
      tried.delete(number)
      gap.ack()
    } catch (error) {
      const said = `${lane.endpoint} ${(error as Error).message}`
      refusals[said] = (refusals[said] ?? 0) + 1
      waiting.unshift(number)
    }
  }

  function nextLane(): Lane | undefined {
    for (let tries = 0; tries < lanes.length; tries++) {
      const lane = lanes[turn++ % lanes.length]
      if (lane?.open()) return lane
    }
    return undefined
  }

  async function write(): Promise<void> {
    let due = 0
    let last = performance.now()
    for (let next = 0; !stopping; await sleep(5)) {
      const now = performance.now()
      due = Math.min(due + now - last, mostBehindMs)
      last = now
      for (; due > 1000 / putsPerSecond; due -= 1000 / putsPerSecond) {
        // A put that waits for its next try has a claim to the time, too.
        if (waiting.length > putsPerSecond) break
        waiting.push(next++)
      }
      for (let lane = nextLane(); lane && waiting.length > 0; lane = nextLane()) {
        const work = put(waiting.shift() ?? 0, lane).finally(() => inFlight.delete(work))
        inFlight.add(work)
      }
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
        const key = keyOf(number)
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
