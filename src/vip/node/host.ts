import { wantedSysctls } from './proc.ts'
import { stateFolder } from './state.ts'

/** What the virtual IP leaves on a node; paths are the host's. */
export const programsFolder = '/opt/karmada-net/vip'
const unitName = 'karmada-net-vip.service'
export const unitFile = `/etc/systemd/system/${unitName}`
/** As `systemctl enable` would make it. */
export const wantsLink = `/etc/systemd/system/multi-user.target.wants/${unitName}`
export const modulesFile = '/etc/modules-load.d/karmada-net-vip.conf'
export const sysctlFile = '/etc/sysctl.d/90-karmada-net-vip.conf'

/** Beside the agent's own state: `rules`, lines for `ipvsadm -R`, and `route`, lines for `ip -batch`, are what a boot puts back. */
export const installed = {
  /** `{"kind":"systemd","installed":true}`: what `install` found and made. */
  boot: `${stateFolder}/boot.json`,
  /** Sysctls as they were before the first installation. */
  sysctlsBefore: `${stateFolder}/sysctls-before`,
} as const

/** The schedulers load when they are first asked for, where the kernel may do so: a list of them spares SELinux's answer. */
export const modules = ['ip_vs', 'ip_vs_rr', 'ip_vs_lc', 'ip_vs_wlc', 'ip_vs_mh', 'nf_conntrack'] as const

/** What the kernel must be told, by path below /proc/sys. */
export const sysctls: Readonly<Record<string, string>> = Object.fromEntries(
  wantedSysctls.map(([name, value]) => [name.replaceAll('.', '/'), value]),
)
