import { UserError } from '../errors.ts'

/** Clocks further apart make new certificates "not yet valid" and leases end early. Milliseconds. */
const maxSkewMs = 5000

/** One member's clock against this machine's. */
export interface Clock {
  name: string
  /** Its clock minus ours; undefined: it cannot be seen. */
  skewMs: number | undefined
}

export interface ClockTrouble {
  text: string
  hint: string
}

const timeService = 'start a time service (chrony, systemd-timesyncd)'

/** Of one machine alone it cannot be told whose clock is wrong. Undefined: nothing is wrong. Pure. */
export function clockTrouble(skewMs: number | undefined): ClockTrouble | undefined {
  if (!isOff(skewMs)) return undefined
  return {
    text: `its clock is ${words(skewMs)} this machine's`,
    hint: `${timeService} on the machine that is wrong; "date -u" shows which`,
  }
}

/** Where all members are off alike it is this machine whose clock is wrong. Undefined: that is not so. Pure. */
export function ownClockTrouble(clocks: readonly Clock[]): ClockTrouble | undefined {
  const seen = clocks.flatMap(({ name, skewMs }) => (skewMs === undefined ? [] : [{ name, skewMs }]))
  const skews = seen.map(({ skewMs }) => skewMs)
  const alike = Math.max(...skews) - Math.min(...skews) <= 2 * maxSkewMs
  if (seen.length < 2 || !alike || !skews.every(isOff)) return undefined
  const names = seen.map(({ name }) => name).join(', ')
  return {
    text: `this machine's clock is ${words(-(skews[0] ?? 0))} those of ${names}`,
    hint: `${timeService} here, or set the clock; "date -u" shows it`,
  }
}

/** Before certificates are made. Throws UserError: made by a wrong clock, they would be valid too late, or end too early. */
export function requireClocks(clocks: readonly Clock[]): void {
  const troubles = clocks.flatMap(({ name, skewMs }) => {
    const trouble = clockTrouble(skewMs)
    return trouble ? [{ ...trouble, text: `${name}: ${trouble.text}` }] : []
  })
  const own = ownClockTrouble(clocks)
  const [first] = own ? [own] : troubles
  if (!first) return
  const text = own ? own.text : troubles.map(({ text: each }) => each).join('\n')
  throw new UserError(`${text}; certificates made now would not be valid there`, { hint: first.hint })
}

const isOff = (skewMs: number | undefined): skewMs is number => skewMs !== undefined && Math.abs(skewMs) > maxSkewMs

const words = (skewMs: number): string =>
  `${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`
