import { familyOf, parseEndpoint } from './address.ts'
import { endpointsOf, type Known, learn, nobodyKnown, type Slice } from './discovery/known.ts'
import { type Change, createSettingsSource } from './discovery/settings-source.ts'
import { filesOf, readState, writeFiles } from './node/state.ts'
import type { DiscoveryReport } from './report.ts'
import { bootServers } from './servers.ts'
import type { VipSettings } from './settings.ts'

/** What a node knows of settings and API servers, and remembers over restarts. */
export interface Knowledge {
  settings(): VipSettings | undefined
  known(): Known
  discovery(): DiscoveryReport
  /** `host:port` of everybody who may be an API server, those who have left included. */
  candidates(): string[]
  mounted(text: string | undefined, watching: boolean): Change
  toldSettings(text: string): Change
  /** Answers true where others are named than before. */
  toldServers(slices: readonly Slice[]): boolean
  /** Writes what has changed to the disk. Answers why it could not. */
  remember(source: string | undefined): Promise<string | undefined>
}

export function createKnowledge(folder: string): Knowledge {
  const remembered = readState(folder)
  const source = createSettingsSource(remembered.settings)
  let servers = remembered.servers
  let from: DiscoveryReport['from'] = servers ? 'cache' : 'static'
  let known: Known = servers ? { ...nobodyKnown, current: servers.discovered } : nobodyKnown
  let writing: Promise<string | undefined> = Promise.resolve(undefined)

  const settings = () => source.current()?.settings

  async function write(address: string | undefined): Promise<string | undefined> {
    const kept = source.current()
    if (!kept) return undefined
    const state = { settings: kept, ...(servers && { servers }) }
    const named = bootServers({ settings: kept.settings, known: ofFamily(known, kept.settings.vip) })
    try {
      await writeFiles(folder, filesOf(state, named, address))
      return undefined
    } catch (error) {
      return `${folder} cannot be written: ${(error as Error).message}`
    }
  }

  return {
    settings,
    known: () => ofFamily(known, settings()?.vip ?? ''),
    discovery: () => ({ from, ...(servers && { seen: servers.seen }) }),
    candidates() {
      const now = settings()
      if (!now) return []
      const { current, former } = ofFamily(known, now.vip)
      return [...new Set([...current, ...former.keys(), ...now.staticServers])]
    },
    mounted: (text, watching) => source.mounted(text, watching),
    toldSettings: text => source.told(text),
    toldServers(slices) {
      const now = settings()
      const family = now && familyOf(now.vip)
      if (!family) return false
      const told = endpointsOf(slices, family)
      const before = known.current.join()
      known = learn(known, told, Date.now(), Math.max(now.drainMs, 60_000))
      if (told.length === 0) return false
      from = 'watch'
      const isNew = before !== known.current.join()
      if (isNew || !servers) servers = { discovered: known.current, seen: new Date().toISOString() }
      return isNew
    },
    remember(address) {
      writing = writing.then(() => write(address))
      return writing
    },
  }
}

/** What was learned for a VIP of the other family is of no use to this one. */
function ofFamily(known: Known, vip: string): Known {
  const isOurs = (address: string) => familyOf(parseEndpoint(address)?.host ?? '') === familyOf(vip)
  return {
    current: known.current.filter(isOurs),
    former: new Map([...known.former].filter(([address]) => isOurs(address))),
  }
}
