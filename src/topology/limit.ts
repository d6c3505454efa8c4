export interface Limit {
  <T>(run: () => Promise<T>): Promise<T>
  /** Lets more run at a time from now on. */
  widen(to: number): void
}

/** Runs at most `n` at a time, in the order in which they came. */
export function createLimit(n: number): Limit {
  const waiting: (() => void)[] = []
  let free = n
  let width = n

  function next(): void {
    while (free > 0 && waiting.length > 0) {
      free--
      waiting.shift()?.()
    }
  }

  const limit = async <T>(run: () => Promise<T>): Promise<T> => {
    await new Promise<void>(resolve => {
      waiting.push(resolve)
      next()
    })
    try {
      return await run()
    } finally {
      free++
      next()
    }
  }
  return Object.assign(limit, {
    widen(to: number) {
      free += to - width
      width = to
      next()
    },
  })
}
