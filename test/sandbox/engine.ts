import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { imageArchive } from '../../src/build/image/archive.ts'
import { etcdSpecs } from '../setup/images.ts'
import { run } from '../setup/run.ts'
import { until } from './api.ts'
import { cgroupOf } from './cgroups.ts'
import { fileIn, type Machine, type ProcessHandle, runIn, startDaemon } from './machine.ts'
import { engineSocket, machineDir } from './paths.ts'

/** Inside the machine; /var/lib is what the root namespace sees of it too. */
const [dataRoot, socket] = ['/var/lib/docker', '/var/lib/docker.sock']
const [containerdConfig, containerdSocket] = ['/etc/containerd/docker.toml', '/run/containerd/containerd.sock']
const containerd = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${containerdSocket}"
`
/** A disk of its own, so that a full one is this machine's alone. It takes only what is written. */
const diskSize = '8G'

/** The daemons of a machine for etcd, by component. Pure. */
export const engineCommands = (sandbox: string, name: string): Record<string, string[]> => ({
  // Not dockerd's own child: that one dies a moment after a dockerd that was killed, and the next dockerd takes it for alive.
  containerd: ['containerd', `--config=${containerdConfig}`],
  docker: [
    // One that was killed leaves its id, which the kernel may have given to another process by now.
    ...['sh', '-c', 'rm -f /run/docker.pid; exec "$@"', 'docker', 'dockerd'],
    // Containers use the machine's own network.
    ...['--bridge=none', '--iptables=false', '--ip6tables=false'],
    ...[`--data-root=${dataRoot}`, '--exec-root=/run/docker', '--pidfile=/run/docker.pid', `--host=unix://${socket}`],
    `--containerd=${containerdSocket}`,
    ...['--exec-opt=native.cgroupdriver=cgroupfs', `--cgroup-parent=${cgroupOf(sandbox, name)}`],
  ],
})

/** Gives a machine a disk and a Docker engine with the images of etcd. */
export async function startEngine(machine: Machine, bin: string): Promise<Record<string, ProcessHandle>> {
  const { sandbox, name } = machine
  const lib = join(machineDir(sandbox, name), 'lib')
  // The kernel shows a disk by this path alone: it names the sandbox.
  const disk = `karmada-net-${sandbox}/disk.img`
  for (const folder of [dirname(disk), 'docker']) await mkdir(join(lib, folder), { recursive: true })
  await run(['truncate', `--size=${diskSize}`, join(lib, disk)])
  await run(['mkfs.ext4', '-q', '-F', '-m', '0', join(lib, disk)])
  await runIn(machine, ['mount', '-o', 'loop,discard', join('/var/lib', disk), dataRoot])
  await mkdir(dirname(fileIn(machine, containerdConfig)), { recursive: true })
  await writeFile(fileIn(machine, containerdConfig), containerd)
  const daemons: Record<string, ProcessHandle> = {}
  for (const [component, command] of Object.entries(engineCommands(sandbox, name)))
    daemons[component] = await startDaemon(machine, component, command)
  await rm(engineSocket(sandbox, name), { force: true })
  await symlink(join(lib, 'docker.sock'), engineSocket(sandbox, name))
  await awaitEngine(sandbox, name)
  await loadImages(sandbox, name, bin)
  return daemons
}

export const awaitEngine = (sandbox: string, name: string): Promise<void> =>
  until(`${name}: Docker`, 60, async () => (await run(docker(sandbox, name, 'info'))).code === 0)

/** One that is there already stays as it is. */
export async function loadImages(sandbox: string, name: string, bin: string): Promise<void> {
  for (const spec of etcdSpecs(bin)) await run(docker(sandbox, name, 'load'), { input: imageArchive(spec) })
}

/** The command that asks a machine's engine. */
export const docker = (sandbox: string, name: string, ...words: string[]): string[] => [
  ...['docker', '-H', `unix://${engineSocket(sandbox, name)}`],
  ...words,
]
