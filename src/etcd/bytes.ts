const units = ['KiB', 'MiB', 'GiB', 'TiB']

/** For people: `84.2 MiB`, `8 GiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of units) {
    if (value < 1000) break
    value /= 1024
    unit = next
  }
  return `${value < 100 && unit !== 'B' ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`
}

/** `412 MiB of 8 GiB`; without the second unit where both have one: `39 of 80 MiB`. */
export function formatShare(part: number, whole: number): string {
  const [left, right] = [formatBytes(part), formatBytes(whole)]
  const unit = right.slice(right.indexOf(' '))
  return `${left.endsWith(unit) ? left.slice(0, -unit.length) : left} of ${right}`
}
