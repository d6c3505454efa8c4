import { UserError } from '../errors.ts'
import { canonicalHost, familyOf, formatEndpoint, isInside, isPort, parseEndpoint } from './address.ts'

export const schedulers = ['rr', 'lc', 'wlc', 'mh'] as const
export type Scheduler = (typeof schedulers)[number]

/** What the ConfigMap `karmada-net-vip` holds in its key `settings.json`. Addresses are in canonical form. */
export interface VipSettings {
  /** An address that nobody has, such as 198.18.0.1. */
  vip: string
  /** Of the VIP; real servers keep their own. */
  port: number
  scheduler: Scheduler
  /** `host:port` in addition to what the cluster says; also what a node begins with that has seen none yet. */
  staticServers: string[]
  /** The name that API servers' certificates must be valid for. */
  tlsServerName: string
  probe: ProbeSettings
  /** `host:port` of servers that take no new connections, by `vip drain`. */
  drained: string[]
  /** How long a server that still accepts but says that it is not ready keeps weight 0 before it is deleted. */
  drainMs: number
  /** Of /healthz, /metrics and /status on the node's address. */
  statusPort: number
}

export interface ProbeSettings {
  /** Of the TCP connect. */
  connectEveryMs: number
  connectTimeoutMs: number
  /** Of `GET /readyz`. */
  readyEveryMs: number
  readyTimeoutMs: number
  /** So many failures in a row make a server down ... */
  fall: number
  /** ... and so many successes up again. */
  rise: number
}

export const defaultSettings = {
  scheduler: 'lc',
  staticServers: [],
  tlsServerName: 'kubernetes',
  // A SYN is sent again after 1 s, and after 3 s: whoever vanishes is found in 300 + 2 * 300 ms, so that the second one goes elsewhere.
  probe: { connectEveryMs: 300, connectTimeoutMs: 300, readyEveryMs: 3000, readyTimeoutMs: 2000, fall: 2, rise: 2 },
  drained: [],
  drainMs: 60_000,
  statusPort: 9819,
} as const satisfies Omit<VipSettings, 'vip' | 'port'>

/**
 * The settings in a JSON text, defaults filled in. Fields that are not known are left alone: a newer plugin may have written them.
 * Throws `UserError` with the field and why. Pure.
 */
export function readSettings(json: string): VipSettings {
  const given = parse(json)
  const probe = mapping(given['probe'] ?? {}, 'probe')
  const { probe: usual } = defaultSettings
  const vip = address(given['vip'])
  const settings: VipSettings = {
    vip,
    port: port(given['port'], 'port'),
    scheduler: scheduler(given['scheduler'] ?? defaultSettings.scheduler),
    staticServers: servers(given['staticServers'] ?? [], 'staticServers', vip),
    tlsServerName: text(given['tlsServerName'] ?? defaultSettings.tlsServerName, 'tlsServerName'),
    probe: {
      connectEveryMs: whole(probe['connectEveryMs'] ?? usual.connectEveryMs, 'probe.connectEveryMs', 50),
      connectTimeoutMs: whole(probe['connectTimeoutMs'] ?? usual.connectTimeoutMs, 'probe.connectTimeoutMs', 10),
      readyEveryMs: whole(probe['readyEveryMs'] ?? usual.readyEveryMs, 'probe.readyEveryMs', 200),
      readyTimeoutMs: whole(probe['readyTimeoutMs'] ?? usual.readyTimeoutMs, 'probe.readyTimeoutMs', 50),
      fall: whole(probe['fall'] ?? usual.fall, 'probe.fall', 1),
      rise: whole(probe['rise'] ?? usual.rise, 'probe.rise', 1),
    },
    drained: servers(given['drained'] ?? [], 'drained', vip),
    drainMs: whole(given['drainMs'] ?? defaultSettings.drainMs, 'drainMs', 0),
    statusPort: port(given['statusPort'] ?? defaultSettings.statusPort, 'statusPort'),
  }
  if (settings.statusPort === settings.port)
    throw wrong('statusPort', `is the port of the virtual IP too: ${settings.port}`)
  return settings
}

const wrong = (field: string, why: string) => new UserError(`settings of the virtual IP: ${field} ${why}`)

function parse(json: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new UserError(`settings of the virtual IP: not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  return mapping(value, 'the whole')
}

function mapping(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(field, 'is not an object')
}

/** Networks of which no address can be the VIP, and why. */
const unusable = [
  ['127.0.0.0/8', 'is a loopback address, which never leaves a pod'],
  ['::1/128', 'is a loopback address, which never leaves a pod'],
  ['0.0.0.0/8', 'is no address of anybody'],
  ['::/128', 'is no address of anybody'],
  ['224.0.0.0/3', 'is a multicast or reserved address'],
  ['ff00::/8', 'is a multicast address'],
  ['fe80::/10', 'is a link-local address, which needs an interface'],
  ['::ffff:0:0/96', 'is an IPv4 address in IPv6 clothes'],
] as const

function address(value: unknown): string {
  const host = canonicalHost(text(value, 'vip'))
  if (host === undefined) throw wrong('vip', `is not an IP address: ${value}`)
  const [, why] = unusable.find(([network]) => isInside(host, network)) ?? []
  if (why !== undefined) throw wrong('vip', `${host} ${why}`)
  return host
}

function port(value: unknown, field: string): number {
  if (typeof value === 'number' && isPort(value)) return value
  throw wrong(field, value === undefined ? 'is missing' : `is not a port: ${JSON.stringify(value)}`)
}

function scheduler(value: unknown): Scheduler {
  const found = schedulers.find(name => name === value)
  if (found) return found
  throw wrong('scheduler', `is none of ${schedulers.join(', ')}: ${JSON.stringify(value)}`)
}

/** Each once, in the order given. */
function servers(value: unknown, field: string, vip: string): string[] {
  if (!Array.isArray(value)) throw wrong(field, 'is not a list')
  const all = value.map((entry, index) => {
    const where = `${field}[${index}]`
    const endpoint = parseEndpoint(text(entry, where))
    if (!endpoint) throw wrong(where, `is not an IP address and a port: ${entry}`)
    if (familyOf(endpoint.host) !== familyOf(vip)) throw wrong(where, `${entry} is of another IP family than ${vip}`)
    if (endpoint.host === vip) throw wrong(where, `${entry} is the virtual IP itself`)
    return formatEndpoint(endpoint)
  })
  return [...new Set(all)]
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong(field, value === undefined ? 'is missing' : `is not a text: ${JSON.stringify(value)}`)
}

function whole(value: unknown, field: string, least: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value
  throw wrong(field, `is not a whole number of ${least} or more: ${JSON.stringify(value)}`)
}
