import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Computer, Sandbox } from '../../sandbox/index.ts'
import { versions } from '../../setup/components.ts'
import { bootSystemd, type Systemd } from './systemd.ts'

/** The owner of the machines that members from files run on: does what their READMEs say. */
export interface Owner {
  systemds: Systemd[]
  /** Of the first machine. */
  first: Systemd
  /** The commands of one step of a member's README, as they stand. */
  commandsOf(member: string, heading: string): Promise<string>
  /** Instead of a README's first step, which needs an ssh server. Answers where the files are. */
  carry(member: string, machine: Computer): Promise<string>
  /** Installs whatever changes, restarts etcd where that needs it, and restores, as an ansible role would, until it is disposed. */
  watch(): AsyncDisposable
}

export const commandsIn = (folder: string) => async (member: string, heading: string) => {
  const readme = await readFile(join(folder, member, 'README.md'), 'utf8')
  const section = readme.split(/^## \d+\. /m).find(each => each.startsWith(`${heading}\n`))
  const lines = /```sh\n([\s\S]*?)```/.exec(section ?? '')?.[1]
  if (!lines) throw new Error(`the README of ${member} has no commands under "${heading}"`)
  return lines
}

export const carryFrom = (folder: string) => async (member: string, machine: Computer) => {
  const there = `/tmp/files-of-${member}`
  await rm(machine.path(there), { recursive: true, force: true })
  await cp(join(folder, member), machine.path(there), { recursive: true })
  return there
}

/** Boots a systemd on each of the first three machines. Disposed, it leaves nothing of this cluster there. */
export async function ownMachines(sandbox: Sandbox, cluster: string, folder: string): Promise<Owner & AsyncDisposable> {
  const machines = sandbox.machines.slice(0, 3)
  const unit = `etcd-${cluster}`
  const forget = async () => {
    const leftovers = `/etc/${unit} /var/lib/${unit} /etc/systemd/system/*${unit}* /etc/systemd/system/*/*${unit}* /tmp/files-of-*`
    await Promise.all(machines.map(({ exec }) => exec(['sh', '-c', `rm -rf ${leftovers}`])))
  }
  await forget()
  const binaries = {
    [`/opt/etcd/v${versions.etcd}/etcd`]: join(sandbox.bin, 'etcd'),
    [`/opt/etcd/v${versions.etcd}/etcdutl`]: join(sandbox.bin, 'etcdutl'),
    [`/opt/etcd/v${versions.etcd35}/etcd`]: join(sandbox.bin, 'etcd-3.5'),
  }
  const systemds = await Promise.all(machines.map(machine => bootSystemd(sandbox.name, machine, binaries)))
  const [first] = systemds
  if (!first) throw new Error('the sandbox has no machines')
  const commandsOf = commandsIn(folder)
  const carry = carryFrom(folder)

  /** What was installed last, by machine. */
  const installed = new Map<string, string>()
  const restored = new Map<string, string>()
  async function install(systemd: Systemd): Promise<void> {
    const { machine, script } = systemd
    const { name } = machine
    await restore(systemd)
    const everything = await contents(join(folder, name)).catch(() => undefined)
    if (everything === undefined || installed.get(name) === everything) return
    const before = await countsAtStart(systemd)
    const there = await carry(name, machine)
    await script(await commandsOf(name, 'Install'), there)
    if (before === '') await script(await commandsOf(name, 'Start'), there)
    else if (before !== (await countsAtStart(systemd))) await script(`systemctl restart --no-block ${unit}`, there)
    installed.set(name, everything)
  }

  async function restore({ machine, script }: Systemd): Promise<void> {
    const { name } = machine
    const text = await readFile(join(folder, name, 'restore/restore.sh'), 'utf8').catch(() => undefined)
    if (text === undefined || restored.get(name) === text) return
    await script('sh restore/restore.sh', await carry(name, machine))
    restored.set(name, text)
  }

  /** What a running etcd, or systemd, has read once. */
  async function countsAtStart({ exec }: Systemd): Promise<string> {
    const files = `/etc/${unit}/etcd.env /etc/${unit}/pki/ca.crt /etc/systemd/system/${unit}.service`
    return (await exec(['sh', '-c', `cat ${files} 2> /dev/null || true`])).stdout
  }

  return {
    ...{ systemds, first, commandsOf, carry },
    watch() {
      const stopping = new AbortController()
      const watching = (async () => {
        while (!stopping.signal.aborted) {
          await Promise.all(systemds.map(install))
          await sleep(300)
        }
      })()
      // Thrown where it is disposed.
      watching.catch(() => {})
      return {
        async [Symbol.asyncDispose]() {
          stopping.abort()
          await watching
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(systemds.map(systemd => systemd[Symbol.asyncDispose]()))
      await forget()
    },
  }
}

/** All that a folder holds; undefined while it is not complete. Throws for a file that is renamed meanwhile; the next look finds it. */
async function contents(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder).catch(() => [])).filter(name => !name.startsWith('.') && name !== 'restore')
  const paths = [...names.filter(name => name !== 'pki'), 'pki/ca.crt', 'pki/server.pem', 'pki/peer.pem']
  if (!names.includes('README.md') || !names.includes('pki')) return undefined
  const texts = paths.map(async path => [path, await readFile(join(folder, path), 'utf8')] as const)
  return JSON.stringify(await Promise.all(texts))
}
