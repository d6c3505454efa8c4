import { describe, expect, test } from 'vitest'
import { type Health, judge, type Probe, pauseAfter, unknownHealth } from '../../../../src/vip/health/judge.ts'
import { defaultSettings } from '../../../../src/vip/settings.ts'

/** One probe a word: `c` a connection, `C` none (refused), `r` ready, `R` not ready (500). */
const probes: Record<string, Probe> = {
  c: { probe: 'connect', ok: true, tookMs: 1 },
  C: { probe: 'connect', ok: false, why: 'connection refused' },
  r: { probe: 'ready', ok: true, tookMs: 5 },
  R: { probe: 'ready', ok: false, why: '/readyz answers 500' },
}

/** The health after so many probes, 100 ms apart. */
function healthAfter(history: string, rules: { fall?: number; rise?: number; asksReady?: boolean } = {}): Health {
  let health = unknownHealth(0)
  let nowMs = 0
  for (const letter of history.replaceAll(' ', '')) {
    nowMs += 100
    const probe = probes[letter]
    if (!probe) throw new Error(`no such probe: ${letter}`)
    health = judge(health, probe, { fall: 2, rise: 2, asksReady: true, ...rules }, nowMs)
  }
  return health
}

describe('what is thought of a server', () => {
  test.each([
    ['nothing yet', '', 'unknown'],
    ['it accepts: is it ready?', 'c', 'unknown'],
    ['both, once', 'cr', 'up'],
    ['one failure', 'cr C', 'up'],
    ['two in a row', 'cr CC', 'down'],
    ['two, not in a row', 'cr C c C', 'up'],
    ['it was never there', 'CC', 'down'],
    ['one /readyz failed', 'cr R', 'up'],
    ['two in a row', 'cr RR', 'draining'],
    ['not ready, and then gone', 'cr RR CC', 'down'],
    ['not ready from the beginning', 'c RR', 'draining'],
    ['ready again, once', 'crc RR r', 'draining'],
    ['ready again, twice', 'crc RR rr', 'up'],
    ['accepts again', 'cr CC ccc', 'down'],
    ['accepts again, and is ready once', 'cr CC cc r', 'down'],
    ['accepts again, and is ready twice', 'cr CC cc rr', 'up'],
    ['is ready twice, but has accepted only once', 'cr CC c rr', 'down'],
    ['accepts again, and says that it is not ready', 'cr CC c R', 'draining'],
    ['what /readyz says counts for nothing while nobody accepts', 'cr C R R', 'up'],
  ])('%s: %s is %s', (_, history, state) => {
    expect(healthAfter(history).state).toBe(state)
  })

  test('where /readyz cannot be asked, accepting is enough', () => {
    expect(healthAfter('c', { asksReady: false }).state).toBe('up')
    expect(healthAfter('c CC c', { asksReady: false }).state).toBe('down')
    expect(healthAfter('c CC cc', { asksReady: false }).state).toBe('up')
  })

  test('fall and rise are settings', () => {
    expect(healthAfter('cr CC', { fall: 3 }).state).toBe('up')
    expect(healthAfter('cr CCC', { fall: 3 }).state).toBe('down')
    expect(healthAfter('cr CC c r', { rise: 1 }).state).toBe('up')
  })

  test('it says why, and since when', () => {
    expect(healthAfter('cr CCC')).toMatchObject({ state: 'down', reason: 'connection refused', changedMs: 400 })
    expect(healthAfter('cr RR')).toMatchObject({ state: 'draining', reason: '/readyz answers 500', changedMs: 400 })
    expect(healthAfter('crc RR rr').reason).toBeUndefined()
  })

  test('it remembers what the last good probe took', () => {
    expect(healthAfter('cr CC')).toMatchObject({ connect: { ok: false, count: 2, tookMs: 1 } })
  })
})

describe('when it is probed again', () => {
  const { probe: settings } = defaultSettings
  test.each([
    ['all is well', 'crcr', 'connect', 300],
    ['all is well', 'crcr', 'ready', 3000],
    ['a first failure is looked into at once', 'cr C', 'connect', 0],
    ['a first failure is looked into at once', 'cr R', 'ready', 0],
    ['it is down', 'cr CC', 'connect', 300],
    ['it may be coming back', 'cr CC c', 'ready', 1000],
    ['it is draining', 'cr RR', 'ready', 1000],
  ] as const)('%s (%s, %s): after %i ms', (_, history, probe, ms) => {
    expect(pauseAfter(probe, healthAfter(history), settings)).toBe(ms)
  })
})
