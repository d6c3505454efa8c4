/** Why etcd ended, in its own words and one line, out of the end of its log; undefined: it says nothing. Pure. */
export function lastWordsOf(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
  const entries = lines.map(parse)
  const logged = (...levels: string[]) => {
    const entry = entries.findLast(({ level = '' }) => levels.includes(level))
    return entry && wordsOf(entry)
  }
  return (
    logged('fatal', 'panic') ??
    // Unknown flags come before the log begins, and the whole help follows; stacks follow panics.
    lines.findLast(line => /^(panic: |Error: |flag provided but not defined)/.test(line)) ??
    logged('error') ??
    logged('warn') ??
    lines.at(-1)
  )
}

/** All that goes wrong while it starts is a failed "discovery" or "listener" to it. */
const wordsOf = ({ msg, error }: Entry): string =>
  [error && /^(discovery|listener) failed/.test(msg ?? '') ? undefined : msg, error].filter(Boolean).join(': ')

interface Entry {
  level?: string
  msg?: string
  error?: string
}

/** etcd writes one JSON object a line. */
function parse(line: string): Entry {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line) as Entry
  } catch {
    return {}
  }
}
