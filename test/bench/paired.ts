import { spawnSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'

/** One of the programs compared. */
export interface Side {
  name: string
  command: readonly [string, ...string[]]
  /** Instead of this process's environment. */
  env?: NodeJS.ProcessEnv | undefined
}

/** A side and the milliseconds from spawn to exit of each of its rounds. */
export interface Timed {
  side: Side
  times: number[]
}

/**
 * Runs all sides in turn, round after round, so that a busy moment of the machine hits all of them; the order turns by one each
 * round. The first round is not counted. Throws when a program exits with anything but 0.
 */
export function measure(sides: readonly Side[], rounds: number): Timed[] {
  const timed = sides.map(side => ({ side, times: [] as number[] }))
  for (let round = -1; round < rounds; round++) {
    const first = (round + timed.length) % timed.length
    for (const { side, times } of [...timed.slice(first), ...timed.slice(0, first)]) {
      const took = timeOf(side)
      if (round >= 0) times.push(took)
    }
  }
  return timed
}

/** One line a side: its fastest and median time, and the median over the rounds of its time divided by the reference's. */
export function printTable(rows: readonly Timed[], reference: Timed): void {
  const width = Math.max(...rows.map(({ side }) => side.name.length))
  const line = (name: string, ...cells: string[]) =>
    process.stdout.write(`${name.padEnd(width)}${cells.map(cell => cell.padStart(11)).join('')}\n`)
  line('', 'fastest', 'median', 'ratio')
  for (const { side, times } of rows) {
    const ratios = times.map((time, round) => time / (reference.times[round] ?? Number.NaN))
    line(side.name, milliseconds(Math.min(...times)), milliseconds(median(times)), median(ratios).toFixed(2))
  }
  process.stdout.write(`${reference.times.length} rounds; load ${loadNow()}\n`)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
}

function timeOf({ name, command: [program, ...args], env }: Side): number {
  const started = performance.now()
  const { status, error, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const took = performance.now() - started
  if (error) throw error
  if (status !== 0) throw new Error(`${name} exited with ${status}: ${stderr.toString().trim()}`)
  return took
}

const milliseconds = (time: number): string => `${time.toFixed(1)} ms`

/** Of one minute: above the number of processors, figures say little. */
const loadNow = (): string => `${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} processors`
