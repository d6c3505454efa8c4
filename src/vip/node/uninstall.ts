import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Endpoint, formatEndpoint } from '../address.ts'
import { findServer } from '../table/read.ts'
import { deleteService } from '../table/write.ts'
import { parseSysctls } from './boot-files.ts'
import { isThere, readIfThere, removeIfEmpty } from './files.ts'
import { installed, modulesFile, programsFolder, sysctlFile, sysctls, unitFile, wantsLink } from './host.ts'
import { writeSysctl } from './install.ts'
import { createTableReader, readRoutePresent } from './proc.ts'
import { changeRoute, changeTable } from './programs.ts'
import { deleteRouteArgs } from './route.ts'
import { stateFolder } from './state.ts'

export interface UninstallOptions {
  /** Where the host's folders are: `/host`. */
  root: string
  vip: Endpoint
}

/** In the order of removal: the next boot first, programs and memory last. */
const files = [wantsLink, unitFile, modulesFile, sysctlFile, programsFolder, stateFolder]

const rulesFile = join(stateFolder, 'rules')

/** Takes everything back: rules, route, sysctls, files. Safe to repeat. Answers what is left, one line each. */
export async function uninstall({ root, vip }: UninstallOptions): Promise<string[]> {
  const failed: string[] = []
  const attempt = async (what: string, work: Promise<unknown>) => {
    await work.catch((error: Error) => failed.push(`${what}: ${error.message}`))
  }
  // What was started at the boot puts rules back as long as this is there.
  await attempt(rulesFile, rm(join(root, rulesFile), { force: true }))
  const said = [await removeServer(vip), await removeRoute(vip)].filter(Boolean)
  await attempt('sysctls', restoreSysctls(root))
  // The memory of the sysctls stays as long as the next attempt needs it.
  const removable = failed.length === 0 ? files : files.filter(path => path !== stateFolder)
  for (const path of removable) await attempt(path, rm(join(root, path), { recursive: true, force: true }))
  for (const path of [programsFolder, stateFolder]) await attempt(path, removeIfEmpty(join(root, dirname(path))))
  return [...said, ...failed, ...(await leftovers(root, vip))]
}

const removeServer = async (vip: Endpoint): Promise<string> => (hasServer(vip) ? changeTable([deleteService(vip)]) : '')

const removeRoute = async ({ host }: Endpoint): Promise<string> =>
  readRoutePresent(host) ? changeRoute(deleteRouteArgs(host)) : ''

/** kube-proxy wants the same of them where it uses IPVS itself. */
async function restoreSysctls(root: string): Promise<void> {
  if (await isThere(join(root, '/proc/sys/net/ipv4/conf/kube-ipvs0'))) return
  const before = parseSysctls((await readIfThere(join(root, installed.sysctlsBefore))) ?? '')
  for (const [name, value] of Object.entries(before)) {
    const found = await readIfThere(join(root, '/proc/sys', name))
    if (name in sysctls && found?.trim() !== value) await writeSysctl(root, name, value)
  }
}

/** The proof: what can still be seen of it. */
async function leftovers(root: string, vip: Endpoint): Promise<string[]> {
  const there = await Promise.all(files.map(async path => ((await isThere(join(root, path))) ? [path] : [])))
  const server = hasServer(vip) ? [`virtual server ${formatEndpoint(vip)}`] : []
  const route = readRoutePresent(vip.host) ? [`local route to ${vip.host}`] : []
  return [...there.flat(), ...server, ...route].map(what => `${what} is still there`)
}

const hasServer = (vip: Endpoint): boolean => findServer(createTableReader().read() ?? '', vip) !== undefined
