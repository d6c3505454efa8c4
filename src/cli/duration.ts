const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 }
const part = /(\d+\.?\d*|\.\d+)(ms|us|\u00b5s|ns|h|m|s)/y

/** A Go duration (`5m`, `1m30s`, `300ms`, `0`) in milliseconds; undefined where the text is none, or negative. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  let total = 0
  part.lastIndex = 0
  let end = 0
  for (let match = part.exec(text); match; match = part.exec(text)) {
    total += Number(match[1]) * (units[match[2] ?? ''] ?? 0)
    end = part.lastIndex
  }
  return end > 0 && end === text.length ? total : undefined
}

/** Milliseconds as the shortest Go duration: 300000 is `5m`, 90000 `1m30s`, 300 `300ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return milliseconds === 0 ? '0s' : `${Math.round(milliseconds)}ms`
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000)
  const seconds = (milliseconds % 60_000) / 1000
  return `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${seconds ? `${seconds}s` : ''}`
}

/** What a finished step took, as people read it: `0.6s`, `42.0s`, `3m05s`. */
export function formatElapsed(milliseconds: number): string {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)}s`
  const seconds = Math.round(milliseconds / 1000)
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}
