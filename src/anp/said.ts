/** A Status' message, or the first line of whatever it is. */
export function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: string }
    if (message) return message
  } catch {
    // Not JSON: a proxy's own text.
  }
  return text.trim().split('\n')[0]?.slice(0, 200) ?? ''
}
