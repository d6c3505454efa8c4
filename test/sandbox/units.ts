/** A virtual machine's units below /etc/systemd/system: files by name, and links with their targets. */
export interface Units {
  files: Record<string, string>
  links: Record<string, string>
}

/** The services of a node, as a distribution would set them up. What they say is in /var/log, also after a reboot. Pure. */
export function nodeUnits(commands: Record<'containerd' | 'kubelet' | 'kubeProxy', string[]>): Units {
  const files = {
    'karmada-net-agent.service': agent,
    'containerd.service': service('containerd', commands.containerd, {
      Unit: ['After=local-fs.target network.target'],
      Service: ['ExecStartPre=-/sbin/modprobe -a overlay br_netfilter', 'Delegate=yes', 'KillMode=process'],
    }),
    'kubelet.service': service('kubelet', commands.kubelet, {
      Unit: ['After=containerd.service', 'Wants=containerd.service'],
      Service: ['KillMode=process'],
    }),
    'kube-proxy.service': service('kube-proxy', commands.kubeProxy, { Unit: ['After=network.target'], Service: [] }),
  }
  const wanted = ['containerd', 'kubelet', 'kube-proxy'].map(name => `${name}.service`)
  return {
    files,
    links: {
      'default.target': '/lib/systemd/system/multi-user.target',
      'sysinit.target.wants/karmada-net-agent.service': '/etc/systemd/system/karmada-net-agent.service',
      ...Object.fromEntries(wanted.map(name => [`multi-user.target.wants/${name}`, `/etc/systemd/system/${name}`])),
    },
  }
}

const service = (name: string, command: string[], more: { Unit: string[]; Service: string[] }): string => `[Unit]
Description=${name}
StartLimitIntervalSec=0
${more.Unit.join('\n')}

[Service]
ExecStart=${command.join(' ')}
Environment=PATH=/run/karmada-net/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Restart=always
RestartSec=1
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-500
StandardOutput=append:/var/log/${name}.log
StandardError=inherit
${more.Service.join('\n')}

[Install]
WantedBy=multi-user.target
`

/** From the first moment to the last: a test wants to see how the others start and stop. */
const agent = `[Unit]
Description=hands of the tests
DefaultDependencies=no
Before=sysinit.target

[Service]
ExecStart=/run/karmada-net/agent
Restart=always
RestartSec=0
KillMode=process
OOMScoreAdjust=-1000
`

const units = [
  'dbus.service',
  'dbus.socket',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'getty.target',
  'kmod-static-nodes.service',
  'proc-sys-fs-binfmt_misc.automount',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-ask-password-console.path',
  'systemd-ask-password-wall.path',
  'systemd-binfmt.service',
  'systemd-firstboot.service',
  'systemd-initctl.socket',
  'systemd-journal-flush.service',
  'systemd-logind.service',
  'systemd-machine-id-commit.service',
  'systemd-random-seed.service',
  'systemd-remount-fs.service',
  'systemd-repart.service',
  'systemd-sysusers.service',
  'systemd-tmpfiles-clean.timer',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-tmpfiles-setup.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-update-utmp.service',
  'systemd-user-sessions.service',
]

/** What a node of these tests does not need, and would wait for. */
export const masked = {
  units: Object.fromEntries(units.map(name => [name, '/dev/null'])),
  generators: [
    ...['cryptsetup', 'debug', 'fstab', 'getty', 'gpt-auto', 'hibernate-resume', 'integritysetup', 'rc-local'],
    ...['run', 'system-update', 'sysv', 'veritysetup'],
  ].map(name => `systemd-${name}-generator`),
}
