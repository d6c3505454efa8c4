import * as fs from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseEndpoint } from '../address.ts'
import type { BootReport } from '../report.ts'
import { readSettings, type VipSettings } from '../settings.ts'
import { freshLines } from '../table/write.ts'
import { routeArgs } from './route.ts'

/** Where the node keeps what it needs before it can ask anybody. */
export const stateFolder = '/var/lib/karmada-net/vip'

/** `settings.json`: the settings in use, and of which mounted text they are at least as new as. */
export interface RememberedSettings {
  settings: VipSettings
  /** SHA-256. */
  mounted?: string
}

/** `servers.json`: whom the cluster named last. */
export interface RememberedServers {
  discovered: string[]
  /** ISO 8601. */
  seen: string
}

export interface NodeState {
  settings?: RememberedSettings
  servers?: RememberedServers
}

/** What was remembered; what cannot be read counts as forgotten. */
export function readState(folder: string): NodeState {
  const state: NodeState = {}
  const settings = readText(join(folder, 'settings.json'))
  if (settings !== undefined) {
    const kept = attempt(() => readSettings(settings))
    const mounted = attempt(() => (JSON.parse(settings) as { mounted?: unknown }).mounted)
    if (kept) state.settings = { settings: kept, ...(typeof mounted === 'string' && { mounted }) }
  }
  const servers = attempt(() => JSON.parse(readText(join(folder, 'servers.json')) ?? '') as RememberedServers)
  if (Array.isArray(servers?.discovered)) {
    const discovered = servers.discovered.filter(address => parseEndpoint(String(address)) !== undefined)
    state.servers = { discovered, seen: String(servers.seen) }
  }
  return state
}

/** What the installation left word of; without any, nothing was installed. */
export function readBoot(folder: string): Pick<BootReport, 'kind' | 'installed'> {
  const text = readText(join(folder, 'boot.json'))
  const said = attempt(() => JSON.parse(text ?? '{}') as Partial<BootReport>)
  return { kind: said?.kind === 'systemd' ? 'systemd' : 'none', installed: said?.installed === true }
}

/** The four files for one state of affairs, by name. Pure. */
export function filesOf(state: NodeState, servers: readonly string[], source: string | undefined): Map<string, string> {
  const files = new Map<string, string>()
  const { settings: remembered } = state
  if (!remembered) return files
  const { settings, mounted } = remembered
  files.set('settings.json', json({ ...settings, ...(mounted !== undefined && { mounted }) }))
  if (state.servers) files.set('servers.json', json(state.servers))
  // All of them, whatever they were thought of: who was down then may be the only one that is up after the boot.
  const rules = freshLines(bootTable(settings, servers))
  if (rules.length > 0) files.set('rules', lines(rules))
  if (source !== undefined) files.set('route', lines([routeArgs(settings.vip, source).join(' ')]))
  return files
}

/** The virtual server as a boot begins with it. Pure. */
function bootTable({ vip, port, scheduler }: VipSettings, servers: readonly string[]) {
  const realServers = servers.flatMap(address => {
    const endpoint = parseEndpoint(address)
    return endpoint ? [{ ...endpoint, weight: 1 }] : []
  })
  return { host: vip, port, scheduler, realServers }
}

/** Writes each file that differs: whole or not at all, and to the disk itself. Answers the names written. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const written: string[] = []
  for (const [name, text] of files) {
    const file = join(folder, name)
    if (readText(file) === text) continue
    if (written.length === 0) fs.mkdirSync(folder, { recursive: true })
    await withFile(`${file}.new`, 'w', async handle => {
      await write(handle, text)
      await sync(handle)
    })
    fs.renameSync(`${file}.new`, file)
    written.push(name)
  }
  // The names are durable as well.
  if (written.length > 0) await withFile(folder, 'r', sync)
  return written
}

async function withFile(file: string, flags: string, work: (handle: number) => Promise<void>): Promise<void> {
  const handle = fs.openSync(file, flags, 0o600)
  try {
    await work(handle)
  } finally {
    fs.closeSync(handle)
  }
}

// Not of `node:fs/promises`, which brings readline along: memory on every node. Only what may take long at the disk is waited for.
const write = promisify(fs.writeFile)
const sync = promisify(fs.fsync)

const lines = (all: readonly string[]): string => all.map(line => `${line}\n`).join('')
const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`

const readText = (file: string): string | undefined => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined)

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
