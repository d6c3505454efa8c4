import { type Endpoint, formatEndpoint } from './address.ts'
import { createTableReader } from './node/proc.ts'
import { createTableWriter, wakeIpvs } from './node/programs.ts'
import { countServers, findServer, type VirtualServer } from './table/read.ts'
import { deleteService, editService, tableLines, type WantedTable } from './table/write.ts'

/** The last look at the kernel's table, and what was done about it. */
export interface Pass {
  found: VirtualServer | undefined
  /** Everything is there as wanted. */
  complete: boolean
  /** It was complete before, and somebody removed it: so many other virtual servers were left. */
  flushed?: { othersLeft: number }
  /** The lines that were given to ipvsadm. */
  changed: string[]
  error?: string
  /** Milliseconds that the look itself took. */
  lookMs: number
}

export interface Reconciler {
  /**
   * One look at the table, and what it takes to make it as wanted. `wanted` is told who is in it. One at a time. Throws nothing: what
   * went wrong is in the answer.
   */
  pass(address: Endpoint, wanted: (present: ReadonlySet<string>) => WantedTable): Promise<Pass>
  /** Removes a virtual server that is no longer ours. */
  retire(address: Endpoint): Promise<string | undefined>
}

/** After something went wrong, it is tried again so often. Milliseconds. */
const againMs = 1000

export function createReconciler(): Reconciler {
  const table = createTableReader()
  const changeTable = createTableWriter()
  /** `host:port` of the virtual server that was complete at the last look. */
  let completed: string | undefined
  /** What /proc does not show (a scheduler's flags) is as wanted since then. */
  let edited: string | undefined
  /** `helpless`: ipvsadm could not even run. */
  let failed: { atMs: number; error: string; helpless: boolean } | undefined
  let wokenMs = Number.NEGATIVE_INFINITY

  async function read(): Promise<string> {
    const text = table.read()
    if (text !== undefined) return text
    if (performance.now() - wokenMs > 10_000) {
      wokenMs = performance.now()
      await wakeIpvs()
    }
    const now = table.read()
    if (now === undefined)
      throw new Error('the kernel of this node has no IPVS (there is no /proc/net/ip_vs): modprobe ip_vs')
    return now
  }

  async function change(lines: string[]): Promise<void> {
    if (failed && performance.now() - failed.atMs < againMs) return
    const failure = (error: string, helpless: boolean) => ({ atMs: performance.now(), error, helpless })
    try {
      const said = await changeTable(lines)
      failed = said === '' ? undefined : failure(said, false)
    } catch (error) {
      failed = failure((error as Error).message, true)
    }
  }

  async function look(address: Endpoint, wantedOf: (present: ReadonlySet<string>) => WantedTable): Promise<Pass> {
    const startedMs = performance.now()
    const text = await read()
    const found = findServer(text, address)
    const lookMs = performance.now() - startedMs
    const name = formatEndpoint(address)
    const flushed = found === undefined && completed === name ? { othersLeft: countServers(text) } : undefined
    completed = found === undefined ? undefined : completed
    const wanted = wantedOf(new Set(found?.realServers.map(formatEndpoint)))
    const lines = tableLines(wanted, found)
    const options = editService(wanted)
    if (found && edited !== options && !lines.includes(options) && wanted.realServers.length > 0) lines.unshift(options)
    const pass = { found, lookMs, changed: lines, ...(flushed && { flushed }) }
    if (lines.length === 0) {
      if (found) completed = name
      return { ...pass, complete: found !== undefined }
    }
    await change(lines)
    const after = findServer(await read(), address)
    const complete = after !== undefined && tableLines(wanted, after).length === 0
    if (complete) completed = name
    // A line that was refused is no error where all is as wanted: another may have been quicker.
    const error = failed && (failed.helpless || !complete) ? failed.error : undefined
    if (error === undefined) edited = options
    return { ...pass, found: after, complete, ...(error !== undefined && { error }) }
  }

  return {
    pass: (address, wanted) =>
      look(address, wanted).catch((error: Error) => ({
        found: undefined,
        complete: false,
        changed: [],
        error: error.message,
        lookMs: 0,
      })),
    async retire(address) {
      try {
        const there = findServer(await read(), address)
        if (!there) return undefined
        return (await changeTable([deleteService(address)])) || undefined
      } catch (error) {
        return (error as Error).message
      }
    },
  }
}
