import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import { formatEndpoint } from './address.ts'
import { createTableReader, readSysctls } from './node/proc.ts'
import { changeRoute, changeTable, wakeIpvs } from './node/programs.ts'
import { readState, stateFolder } from './node/state.ts'
import { findServer } from './table/read.ts'

/** The route's source is an address of the node, which may come late at a boot. Milliseconds. */
const addressWithinMs = 60_000

/**
 * `restore [--state=FOLDER]`: puts back what this node had last, without asking anybody; where it is there already, nothing changes.
 * For nodes without a shell; others have manifests/vip/restore.sh. Answers what to say. Throws `UserError`.
 */
export async function restoreCommand(args: string[], signal: AbortSignal): Promise<string> {
  const { values } = parseArgs({ args, options: { state: { type: 'string', default: stateFolder } } })
  const { settings } = readState(values.state).settings ?? {}
  const rules = read(join(values.state, 'rules'))
  const route = read(join(values.state, 'route'))
  if (!settings || rules === undefined) return `nothing to restore: ${values.state} holds no rules`
  const address = { host: settings.vip, port: settings.port }

  await wakeIpvs()
  await setSysctls()
  const table = createTableReader().read()
  if (table === undefined) throw new UserError('the kernel of this node has no IPVS (there is no /proc/net/ip_vs)')
  const isThere = findServer(table, address) !== undefined
  if (!isThere) {
    const said = await changeTable(rules.split('\n').filter(Boolean))
    if (said !== '') throw new UserError(`the virtual server ${formatEndpoint(address)} is not as before: ${said}`)
  }
  if (route !== undefined) await putRoute(route.trim().split(' '), signal)
  return `${formatEndpoint(address)} ${isThere ? 'was there already' : 'is as before'}`
}

async function setSysctls(): Promise<void> {
  // One that cannot be set is no reason to leave the node without its API servers.
  for (const { name, wanted, found } of readSysctls())
    if (found !== wanted) await writeFile(`/proc/sys/${name.replaceAll('.', '/')}`, wanted).catch(() => undefined)
}

async function putRoute(args: readonly string[], signal: AbortSignal): Promise<void> {
  const end = performance.now() + addressWithinMs
  for (;;) {
    const said = await changeRoute(args)
    if (said === '') return
    if (performance.now() > end) throw new UserError(`ip ${args.join(' ')}: ${said}`)
    await pause(500, signal)
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
