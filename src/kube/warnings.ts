/** The texts of a Warning header's entries of code 299, the ones that API servers use. */
export function warningTexts(header: string | string[] | undefined): string[] {
  const entries = [header ?? []].flat().join(', ')
  return [...entries.matchAll(/(?:^|,\s*)299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(match =>
    (match[1] ?? '').replaceAll(/\\(.)/g, '$1'),
  )
}

/** Passes each text on once. */
export function once(warn: (text: string) => void): (text: string) => void {
  const seen = new Set<string>()
  return text => {
    if (seen.has(text)) return
    seen.add(text)
    warn(text)
  }
}
