import { stderr } from 'node:process'

/** Says what a running step waits for or how far it is. */
export type Note = (text: string) => void

/** Prints ` ✓ title  12.3s  detail` on standard error as each step ends; on a terminal also what is running now. */
export interface Report {
  /** Runs one step. A string that it returns is shown as the line's detail. Rethrows, after a ` ✗` line. */
  step<T>(title: string, work: (note: Note) => Promise<T>): Promise<T>
  /** A line of its own. */
  say(line: string): void
  /** Seconds since the report began. */
  elapsed(): number
}

const titleWidth = 44

export function createReport(out: { write(text: string): unknown; isTTY?: boolean } = stderr): Report {
  const begin = performance.now()
  const running = new Map<symbol, { text: string; since: number }>()
  const clear = () => out.isTTY && out.write('\r\x1b[2K')
  const redraw = () => {
    if (!out.isTTY) return
    const now = [...running.values()]
      .map(({ text, since }) => `${text} ${Math.round((performance.now() - since) / 1000)}s`)
      .join(' · ')
      .slice(0, 110)
    out.write(`\r\x1b[2K${now ? ` … ${now}` : ''}`)
  }
  const line = (text: string) => {
    clear()
    out.write(`${text}\n`)
    redraw()
  }

  if (out.isTTY) setInterval(redraw, 1000).unref()

  return {
    async step(title, work) {
      const id = Symbol(title)
      const start = performance.now()
      running.set(id, { text: title, since: start })
      redraw()
      try {
        const result = await work(text => {
          running.set(id, { text: `${title}: ${text}`, since: start })
          redraw()
        })
        running.delete(id)
        line(stepLine('✓', title, performance.now() - start, typeof result === 'string' ? result : ''))
        return result
      } catch (error) {
        running.delete(id)
        line(stepLine('✗', title, performance.now() - start, ''))
        throw error
      }
    },
    say: line,
    elapsed: () => (performance.now() - begin) / 1000,
  }
}

export const stepLine = (mark: string, title: string, milliseconds: number, detail: string): string =>
  ` ${mark} ${title.padEnd(titleWidth)} ${seconds(milliseconds).padStart(6)}   ${detail}`.trimEnd()

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)}s`
