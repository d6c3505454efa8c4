import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces, release } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Endpoint, familyOf, isInside, networkOf } from '../address.ts'
import type { BootKind } from '../node/boot-files.ts'
import { modules } from '../node/host.ts'
import { createTableReader, readRoutePresent, readSysctls } from '../node/proc.ts'
import { wakeIpvs } from '../node/programs.ts'
import { readState, stateFolder } from '../node/state.ts'
import { findServer } from '../table/read.ts'
import { type ModuleState, moduleStates } from './modules.ts'
import { covering, routedNetworks4, routedNetworks6 } from './routes.ts'
import { listeners } from './sockets.ts'

/** What a node is like before the virtual IP comes to it. */
export interface NodeLook {
  /** Its release. */
  kernel: string
  modules: Record<string, ModuleState>
  /** Nobody can load modules any more before the next boot. */
  locked: boolean
  /** Of the image: what is wrong with it. */
  ipvsadm?: string
  /** Why the kernel's table cannot be read although it is there. */
  table?: string
  /** An earlier installation of the same virtual IP is remembered: what has its address is it. */
  ours: boolean
  /** What has the virtual IP and its port already. */
  server?: { scheduler: string; realServers: number }
  listens: boolean
  /** Something has the port that the agent answers on. */
  statusTaken: boolean
  /** The virtual IP is an address of the node. */
  local: boolean
  /** Networks of its interfaces, and others that it has a route to, with the virtual IP inside. */
  networks: string[]
  routed: string[]
  /** What would have to change and cannot. */
  sysctls?: { names: string[]; error: string }
  /** Undefined: the kernel has none, or it cannot be seen. */
  selinux?: 'enforcing' | 'permissive'
  boot: BootKind
}

export interface LookOptions {
  /** Where the host's /lib, /run, /sys/fs, /proc/sys/net and /var/lib are: `/host`. */
  root: string
  vip: Endpoint
  statusPort: number
}

/** Looks at the node that this runs on, in its network namespace, and changes nothing: no module is loaded either. */
export async function look({ root, vip, statusPort }: LookOptions): Promise<NodeLook> {
  const kernel = release()
  const { text, error } = readTable()
  const folder = followed(root, join('/lib/modules', kernel))
  const states = moduleStates(modules, {
    loaded: read('/proc/modules') ?? '',
    builtin: read(join(folder, 'modules.builtin')),
    dep: read(join(folder, 'modules.dep')),
  })
  const ipvsadm = await ipvsadmTrouble(text !== undefined)
  const server = findServer(text ?? '', vip)
  const listening = listeners(read('/proc/net/tcp') ?? '', read('/proc/net/tcp6') ?? '')
  const sysctls = sysctlTrouble(root)
  const selinux = selinuxMode(read(join(root, '/sys/fs/selinux/enforce')))
  const remembered = readState(join(root, stateFolder)).settings?.settings
  return {
    kernel,
    modules: { ...states, ...(text !== undefined && { ip_vs: 'loaded' }) },
    locked: read('/proc/sys/kernel/modules_disabled')?.trim() === '1',
    ...(ipvsadm !== undefined && { ipvsadm }),
    ...(error !== undefined && { table: error }),
    ours: remembered?.vip === vip.host && remembered.port === vip.port,
    ...(server && { server: { scheduler: server.scheduler, realServers: server.realServers.length } }),
    listens: listening.some(({ host, port }) => host === vip.host && port === vip.port),
    statusTaken: listening.some(({ port }) => port === statusPort),
    local: readRoutePresent(vip.host),
    ...networksAround(vip.host),
    ...(sysctls && { sysctls }),
    ...(selinux && { selinux }),
    boot: existsSync(join(root, '/run/systemd/system')) ? 'systemd' : 'none',
  }
}

/** A link on the host leads somewhere on the host. */
function followed(root: string, path: string): string {
  let at = path
  for (let left = 8; left > 0; left--) {
    const target = linkAt(join(root, at))
    if (target === undefined) break
    at = resolve(dirname(at), target)
  }
  return join(root, at)
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function readTable(): { text?: string | undefined; error?: string } {
  try {
    return { text: createTableReader().read() }
  } catch (error) {
    return { error: codeOf(error) }
  }
}

/** Any question of its would load the module, which is not for a look: without it, it only has to be there. */
async function ipvsadmTrouble(loaded: boolean): Promise<string | undefined> {
  if (loaded) return (await wakeIpvs().catch((error: Error) => error.message)) || undefined
  const folders = (process.env['PATH'] ?? '').split(':')
  return folders.some(folder => isProgram(join(folder, 'ipvsadm'))) ? undefined : 'ipvsadm is not there'
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function networksAround(vip: string): Pick<NodeLook, 'networks' | 'routed'> {
  const own = Object.values(networkInterfaces()).flatMap(addresses =>
    (addresses ?? []).flatMap(({ cidr, address }) =>
      cidr !== null && address !== vip && isInside(vip, cidr) ? [networkOf(cidr)] : [],
    ),
  )
  const networks = covering(own, vip)
  const six = familyOf(vip) === 'ipv6'
  const all = six ? routedNetworks6(read('/proc/net/ipv6_route') ?? '') : routedNetworks4(read('/proc/net/route') ?? '')
  return { networks, routed: covering(all, vip).filter(network => !networks.includes(network)) }
}

/** A file is opened to be written and is not: the kernel says by that whether it may be. */
function sysctlTrouble(root: string): NodeLook['sysctls'] {
  const wrong = readSysctls().filter(({ wanted, found }) => wanted !== found)
  const names = wrong.map(({ name }) => name)
  // Before IPVS is there none of its own is: what holds for its neighbour will hold for them.
  const files = wrong.map(({ name, found }) => (found === undefined ? 'net.ipv4.ip_forward' : name))
  for (const file of new Set(files)) {
    try {
      closeSync(openSync(join(root, '/proc/sys', file.replaceAll('.', '/')), constants.O_WRONLY))
    } catch (error) {
      return { names, error: codeOf(error) }
    }
  }
  return undefined
}

function selinuxMode(text: string | undefined): NodeLook['selinux'] {
  if (text === undefined) return undefined
  return text.trim() === '1' ? 'enforcing' : 'permissive'
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
