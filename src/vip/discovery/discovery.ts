import type { Slice } from './known.ts'
import { createServersSession, type ServersOptions } from './servers-session.ts'
import { type SettingsMap, watchServers, watchSettings } from './watch.ts'

export interface DiscoveryOptions extends ServersOptions {
  onServers(slices: readonly Slice[]): void
  /** The text in the ConfigMap. */
  onSettings(text: string): void
  signal: AbortSignal
}

/** Both watches, over whichever API server answers. */
export interface Discovery {
  /** Is the ConfigMap being watched? */
  isWatching(): boolean
  /** Why the cluster cannot be asked. */
  error(): string | undefined
  /** Asks others than this server (`host:port`), if it was being asked. */
  leave(address: string): void
}

export function startDiscovery({ onServers, onSettings, signal, ...options }: DiscoveryOptions): Discovery {
  const session = createServersSession(options)
  const errors = new Map<'servers' | 'settings', string>()
  let told = false
  const failed = (about: 'servers' | 'settings') => (error: unknown) => {
    errors.set(about, error instanceof Error ? error.message : String(error))
  }
  void watchServers(
    session,
    {
      told(slices) {
        errors.delete('servers')
        onServers(slices)
      },
      failed: failed('servers'),
    },
    signal,
  )
  void watchSettings(
    session,
    {
      told(maps: SettingsMap[]) {
        errors.delete('settings')
        told = true
        const text = maps[0]?.data?.['settings.json']
        if (text !== undefined) onSettings(text)
      },
      failed: failed('settings'),
    },
    signal,
  )
  return {
    isWatching: () => told && !errors.has('settings') && session.error() === undefined,
    error: () => session.error() ?? errors.get('servers') ?? errors.get('settings'),
    leave: session.leave,
  }
}
