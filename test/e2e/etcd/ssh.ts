import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineMachine } from '../../sandbox/index.ts'
import { run } from '../../setup/run.ts'

/** Somebody's ssh: the real program, with keys, known hosts and settings of their own instead of this machine's user's. */
export interface SshUser {
  /** A folder for the front of PATH. */
  bin: string
  /** The public key that servers are to let in. */
  publicKey: string
  /** From now on: a key that no server knows, or the right one; these lines of known hosts. */
  use(settings: { key: 'right' | 'wrong'; knownHosts: string[] }): Promise<void>
}

export async function createSshUser(folder: string): Promise<SshUser> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  for (const name of ['right', 'wrong']) await makeKey(join(folder, name))
  const settings = join(folder, 'config')
  const program = join(bin, 'ssh')
  await writeFile(program, `#!/bin/sh\nexec /usr/bin/ssh -F ${settings} "$@"\n`)
  await chmod(program, 0o755)
  return {
    bin,
    publicKey: await readFile(join(folder, 'right.pub'), 'utf8'),
    async use({ key, knownHosts }) {
      await writeFile(join(folder, 'known_hosts'), knownHosts.map(line => `${line}\n`).join(''))
      const lines = [
        `IdentityFile ${join(folder, key)}`,
        'IdentitiesOnly yes',
        'IdentityAgent none',
        `UserKnownHostsFile ${join(folder, 'known_hosts')}`,
        'GlobalKnownHostsFile /dev/null',
      ]
      await writeFile(settings, lines.map(line => `${line}\n`).join(''))
    },
  }
}

/** Debian's sshd on a machine, where root may come with one key, and finds the engine where docker looks for it. */
export interface SshServer {
  /** A line of known hosts. */
  hostKey: string
  start(): Promise<void>
  stop(): void
  [Symbol.asyncDispose](): Promise<void>
}

const there = '/tmp/sshd'
const settings = `Port 22
HostKey ${there}/host
AuthorizedKeysFile ${there}/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
`

export async function createSshServer(machine: EngineMachine, folder: string, publicKey: string): Promise<SshServer> {
  const files = machine.path(there)
  await mkdir(files, { recursive: true })
  const host = join(folder, 'host')
  await makeKey(host)
  await cp(host, join(files, 'host'))
  await writeFile(join(files, 'authorized_keys'), publicKey)
  await writeFile(join(files, 'config'), settings)
  await machine.exec(['sh', '-c', 'mkdir -p /run/sshd && ln -sf /var/lib/docker.sock /run/docker.sock'])
  let pid = 0
  const server: SshServer = {
    hostKey: await hostKeyLine(machine.address, `${host}.pub`),
    async start() {
      const daemon = `/usr/sbin/sshd -D -e -f ${there}/config`
      const { stdout } = await machine.exec(['sh', '-c', `setsid ${daemon} > /var/log/sshd.log 2>&1 & echo $!`])
      pid = Number(stdout)
      await listening(machine)
    },
    stop() {
      if (pid > 0) process.kill(pid, 'SIGKILL')
      pid = 0
    },
    async [Symbol.asyncDispose]() {
      server.stop()
      await machine.exec(['rm', '-rf', there, '/run/docker.sock'])
    },
  }
  await server.start()
  return server
}

async function listening(machine: EngineMachine): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await readFile(machine.path('/var/log/sshd.log'), 'utf8')).includes('Server listening')) {
    if (performance.now() > end) throw new Error('waited 30 s for sshd')
    await sleep(50)
  }
}

export async function hostKeyLine(address: string, publicKeyFile: string): Promise<string> {
  const [type, key] = (await readFile(publicKeyFile, 'utf8')).split(' ')
  return `${address} ${type} ${key}`
}

const makeKey = (file: string) => run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file])
