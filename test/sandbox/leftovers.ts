import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../setup/run.ts'
import { sandboxDir, slotsDir } from './paths.ts'
import { adminInterface, emptyShape, planSandbox, rootInterface } from './plan.ts'

/**
 * Everything on this machine that belongs to a sandbox of this name and slot, found without the sandbox's own records:
 * files, control groups, mounts, disks, interfaces, processes in its folder or namespaces. Empty after `down`.
 */
export async function leftovers(name: string, slot: number): Promise<string[]> {
  const found = await Promise.all([
    files(name),
    controlGroups(name),
    mounts(name),
    disks(name),
    interfaces(name, slot),
    processes(name),
  ])
  return found.flat()
}

async function files(name: string): Promise<string[]> {
  const inFolder = await readdir(sandboxDir(name)).catch(() => undefined)
  const owned = await Promise.all(
    (await readdir(slotsDir).catch(() => [])).map(async slot => ({
      slot,
      owner: await readlink(join(slotsDir, slot)),
    })),
  )
  return [
    ...(inFolder ? [`folder ${sandboxDir(name)}`] : []),
    ...owned.filter(({ owner }) => owner === name).map(({ slot }) => `slot ${slot}`),
  ]
}

async function controlGroups(name: string): Promise<string[]> {
  const { stdout } = await run(['find', '/sys/fs/cgroup', '-type', 'd', '-name', `karmada-net-${name}`])
  return lines(stdout).map(path => `control group ${path}`)
}

async function mounts(name: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return lines(table)
    .filter(line => line.includes(`${sandboxDir(name)}/`))
    .map(line => `mount ${line}`)
}

/** Files that stand for a disk; the kernel keeps a removed one while it is mounted anywhere. */
async function disks(name: string): Promise<string[]> {
  const { stdout } = await run(['losetup', '--all', '--noheadings', '--output=NAME,BACK-FILE'])
  return lines(stdout)
    .filter(line => line.includes(`/karmada-net-${name}/`))
    .map(line => `disk ${line}`)
}

async function interfaces(name: string, slot: number): Promise<string[]> {
  const { clusters } = planSandbox(name, slot, { ...emptyShape, pull: 32 })
  const own = new Set([rootInterface(slot), ...clusters.map(cluster => adminInterface(slot, cluster))])
  const { stdout } = await run(['ip', '-json', 'link'])
  const present = (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname)
  return present.filter(link => own.has(link)).map(link => `interface ${link}`)
}

/** By what a process mounts, as every process of a machine has its folder mounted at /etc, and by its arguments. */
async function processes(name: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter(id => /^\d+$/.test(id) && Number(id) !== process.pid)
  const own = await Promise.all(
    ids.map(async id => {
      const read = (file: string) => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '')
      const [mountTable, command] = await Promise.all([read('mountinfo'), read('cmdline')])
      const marks = [`${sandboxDir(name)}/`, `/karmada-net-${name}/`]
      return marks.some(mark => mountTable.includes(mark) || command.includes(mark)) ? [`process ${id} ${command}`] : []
    }),
  )
  return own.flat()
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
