import { type Endpoint, formatEndpoint } from '../address.ts'
import type { Scheduler } from '../settings.ts'
import type { RealServer, VirtualServer } from './read.ts'

/** Our virtual server as it should be. */
export interface WantedTable extends Endpoint {
  scheduler: Scheduler
  realServers: WantedServer[]
}

export interface WantedServer extends Endpoint {
  /** 0 takes no new connections. */
  weight: number
}

/**
 * The lines for one `ipvsadm -R` that make `found` what is wanted; none where it is. Every line carries every option: `-e` without `-m`
 * turns a server to direct routing, `-E` without `-s` the scheduler to wlc. There is no transaction in the kernel, each line counts at
 * once: what takes connections comes first, what no longer should goes last, and nothing goes before one that is wanted is there. Pure.
 */
export function tableLines(wanted: WantedTable, found: VirtualServer | undefined): string[] {
  if (wanted.realServers.length === 0) return []
  const service = `-t ${formatEndpoint(wanted)}`
  const there = new Map(found?.realServers.map(server => [formatEndpoint(server), server]))
  const lines: string[] = []
  if (!found) lines.push(addService(wanted))
  else if (found.scheduler !== wanted.scheduler || found.flags !== '') lines.push(editService(wanted))

  const changed = wanted.realServers.filter(server => differs(server, there.get(formatEndpoint(server))))
  for (const server of changed.toSorted((a, b) => b.weight - a.weight)) {
    const verb = there.has(formatEndpoint(server)) ? '-e' : '-a'
    lines.push(`${verb} ${service} -r ${formatEndpoint(server)} -m -w ${server.weight}`)
  }
  const kept = new Set(wanted.realServers.filter(({ weight }) => weight > 0).map(formatEndpoint))
  // The new ones may fail to come: then the old ones stay, and go with the next look.
  if ([...there.keys()].some(address => kept.has(address))) {
    const all = new Set(wanted.realServers.map(formatEndpoint))
    for (const address of there.keys()) if (!all.has(address)) lines.push(`-d ${service} -r ${address}`)
  }
  return lines
}

/** For a table that is empty, as after a boot. Pure. */
export const freshLines = (wanted: WantedTable): string[] => tableLines(wanted, undefined)

/** What /proc/net/ip_vs does not show (the flags of a scheduler) is as wanted after this, and nothing else changes. Pure. */
export const editService = (wanted: WantedTable): string => `-E ${serviceOptions(wanted)}`

const addService = (wanted: WantedTable): string => `-A ${serviceOptions(wanted)}`

/** Pure. */
export const deleteService = (address: Endpoint): string => `-D -t ${formatEndpoint(address)}`

// Without its fallback, mh refuses whoever it has hashed to a server of weight 0.
const serviceOptions = ({ scheduler, ...address }: WantedTable): string =>
  `-t ${formatEndpoint(address)} -s ${scheduler}${scheduler === 'mh' ? ' -b mh-fallback' : ''}`

const differs = ({ weight }: WantedServer, there: RealServer | undefined): boolean =>
  there === undefined || there.weight !== weight || there.forward !== 'Masq'
