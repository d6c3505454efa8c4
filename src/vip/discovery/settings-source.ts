import { createHash } from 'node:crypto'
import type { RememberedSettings } from '../node/state.ts'
import { readSettings, type VipSettings } from '../settings.ts'

/** The settings come by two ways: the API (at once, while it answers) and a mounted file (late, but always). */
export interface SettingsSource {
  current(): RememberedSettings | undefined
  /** The text of the mounted file as it is now, and whether the API is being watched: then that knows better. */
  mounted(text: string | undefined, watching: boolean): Change
  /** The text in the ConfigMap. */
  told(text: string): Change
}

/** `error`: why a new text cannot be used; the settings stay what they were. `noted`: they do, and what is to be remembered differs. */
export type Change = { changed: boolean; error?: string; noted?: boolean }

const same: Change = { changed: false }

/** `remembered`: of the last run. Pure but for what it remembers. */
export function createSettingsSource(remembered: RememberedSettings | undefined): SettingsSource {
  let current = remembered
  /** The file that the settings in use are at least as new as. */
  let digest = remembered?.mounted
  let refused: string | undefined

  function use(text: string): Change {
    let settings: VipSettings
    try {
      settings = readSettings(text)
    } catch (error) {
      return { changed: false, error: (error as Error).message }
    }
    const changed = JSON.stringify(settings) !== JSON.stringify(current?.settings)
    current = { settings, ...(digest !== undefined && { mounted: digest }) }
    return { changed }
  }

  return {
    current: () => current,
    mounted(text, watching) {
      if (text === undefined) return same
      const found = createHash('sha256').update(text).digest('hex')
      if (found === digest || found === refused) return same
      if (watching && current) {
        // Kubelet brings late what the API has told already, and sometimes what it told before that.
        digest = found
        current = { ...current, mounted: found }
        return { changed: false, noted: true }
      }
      const before = digest
      digest = found
      const change = use(text)
      if (change.error === undefined) return change
      digest = before
      refused = found
      return change
    },
    told: use,
  }
}
