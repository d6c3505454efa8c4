import { spawn } from 'node:child_process'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt, CommandError, type RunOptions, type RunResult, run } from '../setup/run.ts'
import { joinFiles } from './cgroups.ts'
import { inside, logFile, machineDir } from './paths.ts'

/** A running process, told apart from a later one with the same id. */
export interface ProcessHandle {
  pid: number
  /** Clock ticks after boot: field 22 of /proc/PID/stat. */
  started: number
}

/**
 * A machine is a process that does nothing and holds a network, mount and host-name namespace of its own. Its /etc is the real one
 * with a layer of its own on top; /run, /tmp, /var/lib and /var/log are its own. All of that ends with its last process:
 * nothing is mounted or named outside.
 */
export interface Machine {
  sandbox: string
  name: string
  holder: ProcessHandle
}

/** Runs as the holder. $1: the machine's folder, $2: its name, $3: the folder of programs. */
const setUp = `set -e
mount --make-rshared /
hostname "$2"
mount -t overlay karmada-net -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/etc.work" /etc
mount -t tmpfs -o mode=755 karmada-net /run
mkdir -p /run/lock ${inside.bin}
mount --bind "$3" ${inside.bin}
mount --bind "$1/tmp" /tmp
mount --bind "$1/log" /var/log
mount --bind "$1/lib" /var/lib
cd /
echo ready
exec ${inside.bin}/pause
`

/** Starts the holder of a machine with files and services: one that a cluster's node will be. */
export async function startMachine(sandbox: string, name: string, bin: string): Promise<Machine> {
  const dir = machineDir(sandbox, name)
  for (const folder of ['etc/kubernetes/pki', 'etc.work', 'lib', 'log', 'tmp'])
    await mkdir(join(dir, folder), { recursive: true })
  await writeFile(join(dir, 'etc/hosts'), hosts(name))
  // Nothing listens there: names outside the sandbox are unknown at once, instead of after a timeout.
  await writeFile(join(dir, 'etc/resolv.conf'), 'nameserver 127.0.0.1\n')
  const command = ['unshare', '--mount', '--net', '--uts', '--propagation', 'slave', '--']
  return hold(sandbox, name, [...command, 'sh', '-c', setUp, 'machine', dir, name, bin])
}

/** Starts a machine that is a network namespace and nothing else: a switch or a router. */
export async function startNetwork(sandbox: string, name: string, bin: string): Promise<Machine> {
  return hold(sandbox, name, ['unshare', '--net', '--', 'sh', '-c', 'echo ready; exec "$1"', name, join(bin, 'pause')])
}

const hosts = (name: string): string => `127.0.0.1 localhost
127.0.1.1 ${name}
# karmadactl init asks this address for its own; the sandbox has no way out.
127.0.0.1 myexternalip.com
`

async function hold(sandbox: string, name: string, command: string[]): Promise<Machine> {
  const log = logFile(sandbox, name, 'machine')
  const pid = await startDetached(sandbox, command, log)
  for (let tries = 0; !(await readFile(log, 'utf8')).includes('ready\n'); tries++) {
    if (tries > 300 || !(await processHandle(pid)))
      throw new Error(`machine ${name} did not start: ${await readFile(log, 'utf8')}`)
    await sleep(10)
  }
  const holder = await processHandle(pid)
  if (!holder) throw new Error(`machine ${name} ended at once`)
  return { sandbox, name, holder }
}

/** Starts a program in a machine that outlives this process; its output goes to the component's log. */
export async function startDaemon(machine: Machine, component: string, command: string[]): Promise<ProcessHandle> {
  const log = logFile(machine.sandbox, machine.name, component)
  const pid = await startDetached(machine.sandbox, [...enter(machine), ...command], log)
  const handle = await processHandle(pid)
  if (!handle) throw new Error(`${component} of ${machine.name} ended at once: see ${log}`)
  return handle
}

/** As `startDaemon`, for a program outside of the machines that is plugged into a machine's network; the log is `name`'s. */
export async function startBeside(
  machine: Machine,
  name: string,
  component: string,
  command: string[],
): Promise<ProcessHandle> {
  const log = logFile(machine.sandbox, name, component)
  const into = ['nsenter', `--target=${machine.holder.pid}`, '--net', '--']
  const handle = await processHandle(await startDetached(machine.sandbox, [...into, ...command], log))
  if (!handle) throw new Error(`${component} of ${name} ended at once: see ${log}`)
  return handle
}

/** The command that puts another one into the machine. */
export const enter = ({ holder }: Machine): string[] => [
  ...['nsenter', `--target=${holder.pid}`, '--mount', '--net', '--uts', '--', 'env', '-C', '/'],
  `PATH=${inside.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  // kubectl remembers for hours what an address offers; the next sandbox has the same addresses.
  'KUBECACHEDIR=/run/kube-cache',
]

/** Runs a program in the machine to its end. Throws `CommandError`. */
export async function runIn(machine: Machine, command: string[], options?: RunOptions): Promise<RunResult> {
  const result = await attempt([...(await belong(machine.sandbox)), ...enter(machine), ...command], options)
  if (result.code !== 0) throw new CommandError([`${machine.name}:`, ...command], result)
  return result
}

/** Runs a program in the machine's network only, with this process's files. Throws `CommandError`. */
export const runInNetwork = (machine: Machine, command: string[], options?: RunOptions): Promise<RunResult> =>
  run(['nsenter', `--target=${machine.holder.pid}`, '--net', '--', ...command], options)

/** A file of the machine, as this process sees it. */
export const fileIn = (machine: Machine, path: string): string => join(`/proc/${machine.holder.pid}/root`, path)

/** undefined when no such process runs. */
async function processHandle(pid: number): Promise<ProcessHandle | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!stat || fields[0] === 'Z') return undefined
  return { pid, started: Number(fields[19]) }
}

export const isRunning = async ({ pid, started }: ProcessHandle): Promise<boolean> =>
  (await processHandle(pid))?.started === started

/** The process belongs to the sandbox's control group before it is the program, so that `down` finds it in any case. */
const joinAndRun = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'

/** The command that makes another one part of the sandbox. */
export const belong = async (sandbox: string): Promise<string[]> => [
  ...['sh', '-c', joinAndRun, 'join'],
  ...(await joinFiles(sandbox)),
  '--',
]

async function startDetached(sandbox: string, command: string[], log: string): Promise<number> {
  await mkdir(dirname(log), { recursive: true })
  const output = await open(log, 'a')
  const [program = '', ...args] = [...(await belong(sandbox)), ...command]
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
    cwd: '/',
    env: { PATH: process.env['PATH'], HOME: '/root' },
  })
  await output.close()
  const { pid } = child
  if (!pid) throw new Error(`cannot start ${command[0]}`)
  child.unref()
  return pid
}
