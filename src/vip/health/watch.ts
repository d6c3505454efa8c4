import { type Endpoint, parseEndpoint } from '../address.ts'
import type { ProbeSettings } from '../settings.ts'
import { type Health, judge, type Probe, pauseAfter, unknownHealth } from './judge.ts'
import { createReadyProbe, probeConnect, type ReadyOptions, type ReadyProbe } from './probe.ts'

export interface HealthOptions {
  settings: ProbeSettings
  /** Without it /readyz is not asked. */
  ready: Omit<ReadyOptions, 'timeoutMs'> | undefined
}

/** Probes servers for as long as they are wanted, and says what is thought of each. */
export interface HealthWatch {
  /** `host:port` of those to probe from now on: newcomers begin at once, who is left out is forgotten. */
  follow(addresses: readonly string[]): void
  readonly health: ReadonlyMap<string, Health>
  /** Takes effect with the next probe of each. */
  set(options: HealthOptions): void
  stop(): void
}

/** `onChange`: a server's state has changed. */
export function watchHealth(given: HealthOptions, onChange: (address: string, health: Health) => void): HealthWatch {
  let options = given
  const followed = new Map<string, { stop(): void; restart(): void }>()
  const health = new Map<string, Health>()

  function start(address: string, endpoint: Endpoint) {
    return followServer(endpoint, () => options, {
      current: () => health.get(address) ?? unknownHealth(Date.now()),
      heard(probe) {
        const before = health.get(address)
        if (!before) return
        const rules = { ...options.settings, asksReady: options.ready !== undefined }
        const after = judge(before, probe, rules, Date.now())
        health.set(address, after)
        if (after.state !== before.state || after.reason !== before.reason) onChange(address, after)
      },
    })
  }

  return {
    health,
    follow(addresses) {
      for (const [address, { stop }] of followed) {
        if (addresses.includes(address)) continue
        stop()
        followed.delete(address)
        health.delete(address)
      }
      for (const address of addresses) {
        const endpoint = parseEndpoint(address)
        if (!endpoint || followed.has(address)) continue
        health.set(address, unknownHealth(Date.now()))
        followed.set(address, start(address, endpoint))
      }
    },
    set(next) {
      options = next
      for (const { restart } of followed.values()) restart()
    },
    stop() {
      for (const { stop } of followed.values()) stop()
      followed.clear()
    },
  }
}

interface Listener {
  current(): Health
  heard(probe: Probe): void
}

/** Both probes of one server, each one question at a time. */
function followServer(endpoint: Endpoint, options: () => HealthOptions, { current, heard }: Listener) {
  let stopped = false
  let ready: ReadyProbe | undefined
  const timers: Record<Probe['probe'], NodeJS.Timeout | undefined> = { connect: undefined, ready: undefined }
  const asking = { connect: false, ready: false }

  const later = (probe: Probe['probe'], ms: number) => {
    clearTimeout(timers[probe])
    if (!stopped) timers[probe] = setTimeout(run[probe], ms)
  }
  const run = { connect: () => void connectOnce(), ready: () => void readyOnce() }

  async function connectOnce(): Promise<void> {
    if (asking.connect) return
    asking.connect = true
    const before = current()
    const found = await probeConnect(endpoint, options().settings.connectTimeoutMs)
    asking.connect = false
    if (stopped) return
    heard(found)
    // Back from the dead: is it ready as well?
    if (found.ok && (!before.connect.ok || before.connect.count === 0)) later('ready', 0)
    later('connect', pauseAfter('connect', current(), options().settings))
  }

  async function readyOnce(): Promise<void> {
    const { ready: how, settings } = options()
    // While it accepts nothing there is nobody to ask; the first connection after that asks again.
    if (asking.ready || !how || !current().connect.ok) return
    asking.ready = true
    ready ??= createReadyProbe(endpoint, { ...how, timeoutMs: settings.readyTimeoutMs }, () => later('connect', 0))
    const found = await ready.ask()
    asking.ready = false
    if (stopped) return
    if (found) heard(found)
    else later('connect', 0)
    later('ready', found ? pauseAfter('ready', current(), options().settings) : settings.readyEveryMs)
  }

  const drop = () => {
    ready?.close()
    ready = undefined
  }
  later('connect', 0)
  return {
    /** Certificates, names or times may be others. */
    restart() {
      drop()
      later('connect', 0)
      later('ready', 0)
    },
    stop() {
      stopped = true
      clearTimeout(timers.connect)
      clearTimeout(timers.ready)
      drop()
    },
  }
}
