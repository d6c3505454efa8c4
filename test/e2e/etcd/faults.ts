import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sandbox } from '../../sandbox/index.ts'

/** What can happen to a member of etcd and its machine. All but `kill` and `wipe` last until `mend`. */
export interface Faults {
  /** Ends etcd with SIGKILL; the engine starts it again. */
  kill(machine: string): Promise<void>
  /** As an administrator may do by hand; the engine leaves it like that. */
  stop(machine: string): Promise<void>
  /** SIGSTOP: it accepts connections and answers nobody. */
  pause(machine: string): Promise<void>
  resume(machine: string): Promise<void>
  /** Packets are lost silently: those between members only, or all of this machine. */
  cut(machine: string, what: 'peers' | 'everything'): Promise<void>
  heal(machine: string): Promise<void>
  /** Not a byte is left on the disk that etcd's data lies on. */
  fillDisk(machine: string): Promise<void>
  freeDisk(machine: string): Promise<void>
  /** The data is gone and etcd has ended, as after a lost disk; the engine starts it again. */
  wipe(machine: string): Promise<void>
  /** Ends whatever fault the machine has. */
  mend(machine: string): Promise<void>
}

const table = 'karmada-net-cut'
const dataRoot = '/var/lib/docker'
const ballast = join(dataRoot, 'ballast')
const peerPort = 2380

export function createFaults(
  sandbox: Sandbox,
  { cluster, docker }: { cluster: string; docker(machine: string, ...words: string[]): Promise<string> },
): Faults {
  const container = (machine: string) => `karmada-net-etcd-${cluster}-${machine}`
  const shell = (machine: string, script: string) => sandbox.machine(machine).exec(['sh', '-c', script])
  /** 0: it does not run. Sandboxes share the machine's process ids. */
  const processOf = async (machine: string) =>
    Number(await docker(machine, 'inspect', '--format', '{{.State.Pid}}', container(machine)).catch(() => '0'))
  async function signal(machine: string, name: NodeJS.Signals): Promise<void> {
    const pid = await processOf(machine)
    if (pid === 0) throw new Error(`etcd of ${machine} does not run`)
    process.kill(pid, name)
  }

  const faults: Faults = {
    kill: machine => signal(machine, 'SIGKILL'),
    async stop(machine) {
      await docker(machine, 'stop', container(machine))
    },
    pause: machine => signal(machine, 'SIGSTOP'),
    resume: machine => signal(machine, 'SIGCONT'),
    async cut(machine, what) {
      const ports = what === 'peers' ? [`tcp dport ${peerPort} `, `tcp sport ${peerPort} `] : ['']
      const chain = (hook: string, through: string) =>
        `  chain ${hook} {
    type filter hook ${hook} priority -300
${ports.map(port => `    ${through} "eth0" ${port}drop\n`).join('')}  }
`
      const text = `table ip ${table} {\n${chain('input', 'iifname')}${chain('output', 'oifname')}}\n`
      await sandbox.machine(machine).exec(['nft', '-f', '-'], { input: text })
    },
    async heal(machine) {
      await shell(machine, `nft delete table ip ${table} 2>/dev/null || true`)
    },
    async fillDisk(machine) {
      const free = `$(df --output=avail --block-size=1 ${dataRoot} | tail -1)`
      // What fallocate cannot take in one piece is written out.
      await shell(
        machine,
        `fallocate -l ${free} ${ballast} || true; dd if=/dev/zero of=${ballast}.rest bs=4k 2>/dev/null || true`,
      )
    },
    async freeDisk(machine) {
      await shell(machine, `rm -f ${ballast} ${ballast}.rest`)
    },
    async wipe(machine) {
      const { path } = sandbox.machine(machine)
      const volumes = path(join(dataRoot, 'volumes'))
      const data = (await readdir(volumes)).filter(name => name.startsWith(`${container(machine)}-data-`))
      for (const name of data) {
        const content = join(volumes, name, '_data')
        for (const entry of await readdir(content)) await rm(join(content, entry), { recursive: true })
      }
      // It may have noticed, and ended by itself.
      if ((await processOf(machine)) > 0) await faults.kill(machine)
    },
    async mend(machine) {
      await faults.heal(machine)
      await faults.freeDisk(machine)
      if ((await processOf(machine)) > 0) await faults.resume(machine)
    },
  }
  return faults
}
