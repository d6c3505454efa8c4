import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { Report } from './report.ts'
import { attempt, run } from './run.ts'

/** Debian packages, each with a file by which it is recognised. */
type Packages = Record<string, string>

/** What the sandbox stands on. */
const packages: Packages = {
  containerd: '/usr/bin/containerd',
  // A machine for etcd has an engine of its own, and a disk that can fill up.
  'docker.io': '/usr/sbin/dockerd',
  e2fsprogs: '/sbin/mkfs.ext4',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  // The CNI plugins masquerade and map host ports with it.
  iptables: '/usr/sbin/iptables',
  nftables: '/usr/sbin/nft',
  conntrack: '/usr/sbin/conntrack',
  iproute2: '/sbin/ip',
  kmod: '/sbin/modprobe',
  mount: '/bin/mount',
  'util-linux': '/usr/bin/nsenter',
  // The way to an engine on another machine.
  'openssh-client': '/usr/bin/ssh',
  'openssh-server': '/usr/sbin/sshd',
  // Units are verified with it, and run by it.
  systemd: '/usr/bin/systemd-analyze',
  // A machine with a wrong clock.
  libfaketime: '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  // These are packed into images.
  haproxy: '/usr/sbin/haproxy',
  'busybox-static': '/bin/busybox',
  ipvsadm: '/usr/sbin/ipvsadm',
}

/** What virtual machines need besides. */
export const vmPackages: Packages = {
  'qemu-system-x86': '/usr/bin/qemu-system-x86_64',
  curl: '/usr/bin/curl',
  // kube-proxy in ipvs mode calls it.
  ipset: '/usr/sbin/ipset',
  // What a virtual address is compared with.
  'nginx-light': '/usr/sbin/nginx',
  'libnginx-mod-stream': '/usr/lib/nginx/modules/ngx_stream_module.so',
}

const missingOf = (wanted: Packages): string[] =>
  Object.entries(wanted)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name)

/** Installs what is missing, without starting services. Throws `CommandError` with what apt-get said. */
export async function ensurePackages(report: Report, wanted = packages): Promise<void> {
  const missing = missingOf(wanted)
  if (missing.length === 0) return
  await report.step(`Debian packages: ${missing.length} to install`, async note => {
    note('apt-get update')
    await run(['apt-get', 'update', '-qq'], { env: aptEnv })
    note(missing.join(' '))
    await withoutServices(() =>
      run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing], { env: aptEnv }),
    )
    const still = missingOf(wanted)
    if (still.length > 0)
      throw new Error(`apt-get installed them, but these are not where they should be: ${still.join(', ')}`)
    return missing.join(' ')
  })
}

const aptEnv = { DEBIAN_FRONTEND: 'noninteractive' }
const policy = '/usr/sbin/policy-rc.d'

/** Debian starts what it installs; the sandbox runs its own containerd, and no haproxy outside a pod. */
async function withoutServices(install: () => Promise<unknown>): Promise<void> {
  const ours = !existsSync(policy)
  const sshd = existsSync(packages['openssh-server'] ?? '')
  if (ours) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install()
  } finally {
    if (ours) await rm(policy, { force: true })
  }
  // Where systemd enabled them for the next boot, they stay out of the way as well.
  if (!existsSync('/run/systemd/system')) return
  await attempt(['systemctl', 'disable', '--quiet', 'haproxy', 'nginx', 'docker.service', 'docker.socket'])
  // By one that was there before, somebody may come to this machine.
  if (!sshd) await attempt(['systemctl', 'disable', '--quiet', 'ssh.service', 'ssh.socket'])
}
