/** What a program said last of its own accord, in one line, out of the end of its log; undefined: nothing. Pure. */
export function lastWordsOf(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
  const entries = lines.map(parse)
  for (const level of ['fatal', 'panic', 'error', 'warn']) {
    const said = entries.findLast(entry => entry?.level === level)
    // A panic is followed by its stack; what it was about stands in the entry before.
    if (said) return [said.msg, said.error].filter(Boolean).join(': ')
  }
  return lines.findLast(line => /^panic: /.test(line)) ?? lines.at(-1)
}

interface Entry {
  level?: string
  msg?: string
  error?: string
}

/** etcd writes one JSON object a line. */
function parse(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Entry
  } catch {
    return undefined
  }
}
