/** A pause that `ring` ends; ringing before it begins counts. */
export function createAlarm(): { ring(): void; wait(ms: number): Promise<void> } {
  let rung = false
  let end = () => {}
  return {
    ring() {
      rung = true
      end()
    },
    async wait(ms: number): Promise<void> {
      if (!rung)
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, ms)
          end = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      rung = false
    },
  }
}
