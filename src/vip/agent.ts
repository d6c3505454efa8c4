import { isDeepStrictEqual } from 'node:util'
import { type Endpoint, formatEndpoint, parseEndpoint } from './address.ts'
import { createAlarm } from './alarm.ts'
import { type Discovery, startDiscovery } from './discovery/discovery.ts'
import type { Change } from './discovery/settings-source.ts'
import { type HealthOptions, type HealthWatch, watchHealth } from './health/watch.ts'
import type { Knowledge } from './knowledge.ts'
import type { Log } from './log.ts'
import type { Identity } from './node/identity.ts'
import { nodeAddressFor, sourceTowards } from './node/route.ts'
import { createRouteKeeper } from './node/route-keeper.ts'
import { suspectOf } from './node/suspect.ts'
import { createReconciler, type Pass } from './reconcile.ts'
import type { RouteReport, TableReport } from './report.ts'
import { type Verdict, verdicts } from './servers.ts'
import type { VipSettings } from './settings.ts'
import type { WantedTable } from './table/write.ts'

/** Between two looks at the kernel's table: whoever flushes it has it back within half a second. Milliseconds. */
const lookEveryMs = 250
/** In a table of thousands of Services a look takes long: no more than this part of the time goes into looking. */
const lookShare = 0.005
/** Between two looks at what seldom changes: route, mounted files, the cluster's authority. Milliseconds. */
const slowEveryMs = 1000

export interface AgentOptions {
  /** Addresses of the node; empty: the kernel is asked which it uses towards API servers. */
  nodeIps: string[]
  knowledge: Knowledge
  identity: Identity
  /** The text of the mounted settings. */
  readMounted(): string | undefined
  /** `host:port` of an API server to ask while none is known otherwise. */
  firstServer: string | undefined
  log: Log
  signal: AbortSignal
}

/** What the agent has made of its node so far. */
export interface AgentView {
  verdicts: Verdict[]
  health: HealthWatch['health']
  pass: Pass | undefined
  table: TableReport
  route: RouteReport
  discoveryError: string | undefined
  bootError: string | undefined
  /** `performance.now()` when a look last came to its end. */
  lookedMs: number
}

export interface Agent {
  view(): AgentView
  settings(): VipSettings
  /** Resolves when the signal has ended it; what is in the kernel by then stays there. */
  ended: Promise<void>
}

/** Keeps the virtual IP of one node. `settings`: to begin with. */
export function startAgent(settings: VipSettings, options: AgentOptions): Agent {
  const { knowledge, identity, log, signal } = options
  const reconciler = createReconciler()
  const routes = createRouteKeeper()
  /** Virtual servers of former settings, removed once the present one stands. */
  const retired = new Map<string, Endpoint>()
  const view: Omit<AgentView, 'health'> = {
    verdicts: [],
    pass: undefined,
    table: { present: false, flushes: 0 },
    route: { present: false },
    discoveryError: undefined,
    bootError: undefined,
    lookedMs: performance.now(),
  }
  let used = settings
  const alarm = createAlarm()
  signal.addEventListener('abort', alarm.ring, { once: true })

  const health = watchHealth(healthOptions(used, identity), (address, { state, reason }) => {
    log.event(`${address} is ${state}${reason === undefined ? '' : `: ${reason}`}`)
    if (state !== 'up') discovery.leave(address)
    alarm.ring()
  })
  // Whom the first questions go to.
  wanted(new Set())
  const discovery: Discovery = startDiscovery({
    servers: () => askOrder(view.verdicts, options.firstServer),
    serverName: () => used.tlsServerName,
    secureContext: identity.secureContext,
    token: identity.token,
    onServers(slices) {
      if (knowledge.toldServers(slices)) log.event(`API servers: ${knowledge.known().current.join(', ')}`)
      void follow()
    },
    onSettings: text => heardSettings(knowledge.toldSettings(text)),
    signal,
  })

  function heardSettings({ changed, error }: Change) {
    log.state('settings', error)
    const next = knowledge.settings()
    if (!changed || !next) return
    const [before, after] = [used, next].map(({ vip, port }) => formatEndpoint({ host: vip, port })) as [string, string]
    if (before !== after) retired.set(before, { host: used.vip, port: used.port })
    retired.delete(after)
    // A drain leaves the probes' connections as they are: those of all nodes would come to API servers anew in the same moment.
    const probesDiffer = !isDeepStrictEqual([used.probe, used.tlsServerName], [next.probe, next.tlsServerName])
    used = next
    log.event(`settings: ${JSON.stringify(next)}`)
    if (probesDiffer) health.set(healthOptions(used, identity))
    void follow()
  }

  /** Whoever is new is probed from now on, and the disk knows of it. */
  async function follow() {
    health.follow(knowledge.candidates())
    wanted(new Set(view.pass?.found?.realServers.map(formatEndpoint)))
    alarm.ring()
    await remember()
  }

  async function remember() {
    view.bootError = await knowledge.remember(await source())
    log.state('state for the next boot', view.bootError)
  }

  async function source(): Promise<string | undefined> {
    const given = nodeAddressFor(used.vip, options.nodeIps)
    if (given !== undefined) return given
    const server = parseEndpoint(knowledge.candidates()[0] ?? '')
    return server && sourceTowards(server)
  }

  function wanted(present: ReadonlySet<string>): WantedTable {
    const judged = { settings: used, known: knowledge.known(), health: health.health, present, nowMs: Date.now() }
    view.verdicts = verdicts(judged)
    const kept = view.verdicts.filter(({ keep }) => keep)
    const realServers = kept.flatMap(({ address, weight }) => {
      const endpoint = parseEndpoint(address)
      return endpoint ? [{ ...endpoint, weight }] : []
    })
    return { host: used.vip, port: used.port, scheduler: used.scheduler, realServers }
  }

  async function look() {
    const pass = await reconciler.pass({ host: used.vip, port: used.port }, wanted)
    view.pass = pass
    const { error: _, ...before } = view.table
    view.table = {
      ...before,
      present: pass.complete,
      ...(pass.complete && { completedAt: new Date().toISOString() }),
      ...(pass.error !== undefined && { error: pass.error }),
    }
    log.state('virtual server', pass.error)
    if (pass.flushed) flushed(pass.flushed.othersLeft)
    if (pass.changed.length > 0 && pass.error === undefined) log.event(`table: ${pass.changed.join('; ')}`)
    if (pass.complete && retired.size > 0) await retireOld()
    view.lookedMs = performance.now()
    return pass.lookMs
  }

  function flushed(othersLeft: number) {
    const flush: NonNullable<TableReport['lastFlush']> = { at: new Date().toISOString() }
    view.table = { ...view.table, flushes: view.table.flushes + 1, lastFlush: flush }
    log.event(`somebody removed the virtual server; ${othersLeft} others are left`)
    void suspectOf(Date.now(), othersLeft, signal).then(suspect => {
      if (suspect === undefined) return
      flush.suspect = suspect
      log.event(`who removed it: ${suspect}`)
    })
  }

  /** The new one stands, with its route: whoever still uses an old one is cut off now, and comes back to the new. */
  async function retireOld() {
    await keepRoute(await source())
    if (!view.route.present) return
    for (const [name, address] of retired) {
      const errors = [await reconciler.retire(address)]
      if (address.host !== used.vip) errors.push(await routes.drop(address.host))
      const error = errors.find(error => error !== undefined)
      log.state(`former virtual server ${name}`, error ?? 'removed')
      if (error === undefined) retired.delete(name)
    }
  }

  async function keepRoute(address: string | undefined) {
    view.route = await routes.keep(used.vip, address)
    log.state('route', view.route.error)
  }

  async function lookSlowly() {
    if (identity.look()) health.set(healthOptions(used, identity))
    log.state('API servers cannot be asked whether they are ready', identity.error())
    heardMounted()
    view.discoveryError = discovery.error()
    log.state('discovery', view.discoveryError)
    const address = await source()
    const before = view.route.source
    // A route without a virtual server would lead to whatever listens on the node itself.
    if (view.table.present) await keepRoute(address)
    if (view.route.source !== before) await remember()
  }

  function heardMounted() {
    const change = knowledge.mounted(options.readMounted(), discovery.isWatching())
    if (change.changed || change.error !== undefined) heardSettings(change)
    else if (change.noted) void remember()
  }

  async function run() {
    await follow()
    let slowMs = Number.NEGATIVE_INFINITY
    let slow: Promise<void> | undefined
    while (!signal.aborted) {
      const lookMs = await look()
      if (!slow && performance.now() - slowMs > slowEveryMs) {
        slowMs = performance.now()
        // The table does not wait for disk and route.
        slow = lookSlowly().finally(() => {
          slow = undefined
        })
      }
      await alarm.wait(Math.min(Math.max(lookEveryMs, lookMs / lookShare), 2000))
    }
  }

  const ended = run().finally(() => health.stop())
  return { view: () => ({ ...view, health: health.health }), settings: () => used, ended }
}

function healthOptions({ probe, tlsServerName }: VipSettings, identity: Identity): HealthOptions {
  const secureContext = identity.secureContext()
  return {
    settings: probe,
    ready: secureContext && { serverName: tlsServerName, secureContext, token: identity.token },
  }
}

/** Who is up first; then whoever there is, as we may be wrong. */
function askOrder(all: readonly Verdict[], firstServer: string | undefined): string[] {
  const order = ['up', 'drained', 'unknown', 'draining', 'down']
  const known = all.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state)).map(({ address }) => address)
  return known.length > 0 || firstServer === undefined ? known : [firstServer]
}
