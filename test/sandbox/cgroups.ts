import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** How the machine has its control groups: one tree (v2) or one per controller (v1). */
export interface CgroupTrees {
  version: 1 | 2
  /** The trees that have the controllers. */
  mounts: string[]
  /** Every tree: runc makes groups in the one without controllers too. */
  all: string[]
}

const wanted = ['cpu', 'cpuset', 'memory', 'pids', 'hugetlb', 'io']

/** Throws when no control groups are mounted. */
async function cgroupTrees(): Promise<CgroupTrees> {
  return parseCgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'))
}

/** From the text of /proc/self/mountinfo. A machine with both kinds (hybrid) keeps its controllers in v1. */
export function parseCgroupMounts(mountinfo: string): CgroupTrees {
  const mounts = mountinfo.split('\n').flatMap(line => {
    const [before = '', after = ''] = line.split(' - ')
    const path = before.split(' ')[4]
    const type = after.split(' ')[0]
    return path?.startsWith('/sys/fs/cgroup') && (type === 'cgroup' || type === 'cgroup2') ? [{ path, type }] : []
  })
  const ofType = (wantedType: string) => [
    ...new Set(mounts.filter(({ type }) => type === wantedType).map(({ path }) => path)),
  ]
  const [v1, v2] = [ofType('cgroup'), ofType('cgroup2')]
  if (v1.length > 0) return { version: 1, mounts: v1, all: [...v1, ...v2] }
  if (v2.length === 0) throw new Error('no control groups are mounted at /sys/fs/cgroup: a kubelet cannot run here')
  return { version: 2, mounts: v2, all: v2 }
}

/** The control group of a sandbox: `daemons` below it holds its processes, one more per machine the pods of that node. */
export const cgroupOf = (sandbox: string, ...below: string[]): string => join('/', `karmada-net-${sandbox}`, ...below)

/** Makes a sandbox's control groups, in every tree, with every controller that a kubelet asks for. */
export async function createCgroups(sandbox: string, machines: string[]): Promise<void> {
  const trees = await cgroupTrees()
  const groups = ['', 'daemons', ...machines]
  for (const mount of trees.mounts) {
    if (trees.version === 2) await enableControllers(mount)
    for (const group of groups) {
      const path = join(mount, cgroupOf(sandbox, group))
      await mkdir(path, { recursive: true })
      if (trees.version === 1) await inheritCpuset(path)
      else if (group !== 'daemons') await enableControllers(path)
    }
  }
}

/** The files that a process writes its id to in order to belong to the sandbox. */
export async function joinFiles(sandbox: string): Promise<string[]> {
  const { mounts } = await cgroupTrees()
  return mounts.map(mount => join(mount, cgroupOf(sandbox, 'daemons'), 'cgroup.procs'))
}

/** Ids of all processes of a sandbox: its daemons, and its pods' containers with all they started. */
async function sandboxProcesses(sandbox: string): Promise<number[]> {
  const ids = await Promise.all((await roots(sandbox)).map(processesBelow))
  return [...new Set(ids.flat())]
}

/** Ends every process of a sandbox and removes its control groups. Returns how many processes there were. */
export async function destroyCgroups(sandbox: string): Promise<number> {
  const killed = new Set<number>()
  for (let tries = 0; ; tries++) {
    const ids = await sandboxProcesses(sandbox)
    if (ids.length === 0) break
    if (tries > 200) throw new Error(`processes that do not end: ${ids.join(' ')}`)
    for (const id of ids) {
      killed.add(id)
      try {
        process.kill(id, 'SIGKILL')
      } catch {
        // It ended by itself.
      }
    }
    await sleep(50)
  }
  for (const root of await roots(sandbox)) await removeTree(root)
  return killed.size
}

async function roots(sandbox: string): Promise<string[]> {
  const { all } = await cgroupTrees()
  return all.map(mount => join(mount, cgroupOf(sandbox))).filter(path => existsSync(path))
}

async function processesBelow(path: string): Promise<number[]> {
  const procs = await readFile(join(path, 'cgroup.procs'), 'utf8').catch(() => '')
  const below = await Promise.all((await subgroups(path)).map(processesBelow))
  // 0 is a process outside this PID namespace.
  return [
    ...procs
      .split('\n')
      .map(Number)
      .filter(id => id > 1),
    ...below.flat(),
  ]
}

async function removeTree(path: string): Promise<void> {
  for (const group of await subgroups(path)) await removeTree(group)
  for (let tries = 0; ; tries++) {
    try {
      return await rmdir(path)
    } catch (error) {
      // Emptied a moment ago, it may still be busy.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      if (tries > 40) throw error
      await sleep(50)
    }
  }
}

async function subgroups(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory()).map(entry => join(path, entry.name))
}

/** v1: a new cpuset group has no processors and takes no process until it is given its parent's. */
async function inheritCpuset(path: string): Promise<void> {
  for (const name of ['cpus', 'mems']) {
    const file = ['cpuset.', ''].map(prefix => join(path, prefix + name)).find(candidate => existsSync(candidate))
    if (!file || (await readFile(file, 'utf8')).trim()) continue
    await writeFile(file, await readFile(join(dirname(path), file.slice(path.length + 1))))
  }
}

/** v2: hands the controllers on to the groups below. */
async function enableControllers(path: string): Promise<void> {
  const available = (await readFile(join(path, 'cgroup.controllers'), 'utf8')).trim().split(' ')
  const handed = (await readFile(join(path, 'cgroup.subtree_control'), 'utf8')).trim().split(' ')
  const missing = wanted.filter(name => available.includes(name) && !handed.includes(name))
  if (missing.length === 0) return
  const enable = () => writeFile(join(path, 'cgroup.subtree_control'), missing.map(name => `+${name}`).join(' '))
  try {
    await enable()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    // In a container the top group has processes of its own; a group hands controllers on only when it has none.
    const leaf = join(path, 'karmada-net-moved')
    await mkdir(leaf, { recursive: true })
    for (const id of (await readFile(join(path, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean))
      await writeFile(join(leaf, 'cgroup.procs'), id).catch(() => {})
    await enable()
  }
}
