/** Lines for whoever reads the agent's log, one event each. */
export interface Log {
  /** Something has happened. */
  event(text: string): void
  /** Something is so: said when it becomes so, and not again until it has changed. Nothing: it is over. */
  state(about: string, text: string | undefined): void
}

/** `write` gets whole lines. */
export function createLog(write: (line: string) => void): Log {
  const said = new Map<string, string>()
  const event = (text: string) => write(`${new Date().toISOString()} ${text}\n`)
  return {
    event,
    state(about, text) {
      if (said.get(about) === text) return
      if (text === undefined) said.delete(about)
      else said.set(about, text)
      event(text === undefined ? `${about}: well again` : `${about}: ${text}`)
    },
  }
}
