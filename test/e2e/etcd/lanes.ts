/** The way to one member: how much it is given to do at a time. */
export interface Lane {
  endpoint: string
  /** May it be asked now? */
  open(): boolean
  /** Does the work, and learns from how it ends. Throws as the work does. */
  through<T>(work: () => Promise<T>): Promise<T>
}

/** Each costs a TLS handshake, and again after an answer that did not come in time. */
const widest = 48
const narrowest = 2
/** A member that did not do as it was asked is left alone for so long. Milliseconds. */
const avoidMs = 500

/**
 * Halves with every failure and grows with every success, as TCP does: a machine that is out of breath gets less to do instead of the
 * same again and again, and a member that answers nobody holds up its own lane alone.
 */
export function createLane(endpoint: string): Lane {
  let width = widest / 2
  let [under, closedUntil] = [0, 0]
  return {
    endpoint,
    open: () => under < Math.floor(width) && performance.now() > closedUntil,
    async through(work) {
      under++
      try {
        const result = await work()
        width = Math.min(widest, width + 0.2)
        return result
      } catch (error) {
        width = Math.max(narrowest, width / 2)
        closedUntil = performance.now() + avoidMs
        throw error
      } finally {
        under--
      }
    },
  }
}
