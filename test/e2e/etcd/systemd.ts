import { readFile, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineMachine } from '../../sandbox/index.ts'
import type { RunOptions, RunResult } from '../../setup/run.ts'

/** A systemd that runs on a machine of the sandbox, as process 1 of its own. */
export interface Systemd {
  machine: EngineMachine
  /** Runs a program beside its services; throws when it fails. */
  exec(command: string[], options?: RunOptions): Promise<RunResult>
  /** Runs lines of a README with `sh -e`, in a folder of the machine. */
  script(lines: string, folder: string): Promise<RunResult>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * $1: control group. Everything that it could change for others (the kernel's settings, devices, /opt) is read-only or its own, and of
 * the units of this machine only the journal starts.
 */
const boot = `set -e
mount --make-rprivate /
# One tree of control groups is enough for it: that without controllers, or the only one.
tree=/sys/fs/cgroup
[ -d $tree/unified ] && tree=$tree/unified
mkdir -p $tree/$1
echo $$ > $tree/$1/cgroup.procs
named=/sys/fs/cgroup/systemd
if [ -d $named ]; then
  mkdir -p $named/$1
  echo $$ > $named/$1/cgroup.procs
fi
exec unshare --cgroup --mount --pid --ipc --uts --fork --kill-child sh -c "$2"
`

const inside = `set -e
hybrid=$([ -d /sys/fs/cgroup/systemd ] && echo yes || true)
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount -t sysfs -o ro sysfs /sys
if [ "$hybrid" ]; then
  mount -t tmpfs -o mode=755 groups /sys/fs/cgroup
  mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=755 opt /opt
mount -t tmpfs -o mode=755 dev /mnt
for device in null zero full random urandom tty; do
  touch /mnt/$device
  mount --bind /dev/$device /mnt/$device
done
ln -s /proc/self/fd /mnt/fd
mkdir /mnt/shm /mnt/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 pts /mnt/pts
ln -s pts/ptmx /mnt/ptmx
mount --move /mnt /dev
mkdir -p /run/systemd/system
for link in /lib/systemd/system/*.wants/* /etc/systemd/system/*.wants/*; do
  unit=$(basename "$link")
  case $unit in
    systemd-journald*) ;;
    *) ln -sf /dev/null "/run/systemd/system/$unit" ;;
  esac
done
exec env -i container=karmada-net PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no
`

/** Boots it, and waits until it is up. The programs of `binaries` are copied to the paths that they are named by, once /opt is its own. */
export async function bootSystemd(
  sandbox: string,
  machine: EngineMachine,
  binaries: Record<string, string>,
): Promise<Systemd> {
  const group = `karmada-net-${sandbox}/systemd-${machine.name}`
  await writeFile(machine.path('/tmp/systemd-boot'), boot)
  await writeFile(machine.path('/tmp/systemd-inside'), inside)
  const start = `setsid sh /tmp/systemd-boot ${group} "$(cat /tmp/systemd-inside)" > /var/log/systemd.log 2>&1 & echo $!`
  const unshare = Number((await machine.exec(['sh', '-c', start])).stdout)
  const first = await processOne(unshare)
  const exec = (command: string[], options?: RunOptions) =>
    machine.exec(
      ['nsenter', `--target=${first}`, '--mount', '--pid', '--ipc', '--cgroup', '--', 'env', '-C', '/', ...command],
      options,
    )
  const systemd: Systemd = {
    machine,
    exec,
    script: (lines, folder) => exec(['sh', '-ec', `cd ${folder}\n${lines}`]),
    async [Symbol.asyncDispose]() {
      process.kill(unshare, 'SIGKILL')
      await until('systemd to end', async () => !(await isAlive(first)))
    },
  }
  await until('systemd', async () => {
    const { stdout } = await exec(['systemctl', 'is-active', 'basic.target']).catch(() => ({ stdout: '' }))
    return stdout.trim() === 'active'
  })
  for (const [path, program] of Object.entries(binaries)) await exec(['install', '-D', program, path])
  return systemd
}

/** The process that `unshare` starts in its namespaces. */
async function processOne(unshare: number): Promise<number> {
  let pid = 0
  await until('the first process', async () => {
    const { comm, children } = await ofProcess(unshare)
    // Before that it is a shell, with children of its own.
    pid = comm === 'unshare' ? Number(children) : 0
    return pid > 0
  })
  return pid
}

async function ofProcess(pid: number): Promise<{ comm: string; children: string }> {
  const [comm, children] = await Promise.all(
    ['comm', `task/${pid}/children`].map(file => readFile(`/proc/${pid}/${file}`, 'utf8')),
  )
  return { comm: comm?.trim() ?? '', children: children?.trim() ?? '' }
}

const isAlive = (pid: number) =>
  stat(`/proc/${pid}`).then(
    () => true,
    () => false,
  )

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await done())) {
    if (performance.now() > end) throw new Error(`waited 30 s for ${what}`)
    await sleep(50)
  }
}
