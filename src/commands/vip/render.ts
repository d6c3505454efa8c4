import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { mutatingFlags } from '../../cli/flags.ts'
import { program } from '../../cli/io.ts'
import { UserError } from '../../errors.ts'
import type { TextFile } from '../../vip/node/boot-files.ts'
import type { VipSettings } from '../../vip/settings.ts'
import { imageFlags, schedulerFlag, tlsServerNameFlag } from './shared.ts'

export const vipRender = defineCommand({
  name: 'vip render',
  summary: 'Write what gives a node the virtual IP by hand',
  description: `A folder with a unit of systemd, install.sh, uninstall.sh and a README with the commands in order: for nodes that no DaemonSet
reaches, or not yet, such as before the cluster is there. It needs no cluster, and is the same for every node.

Such a node has no agent, so nobody looks whether API servers live; "vip up" takes it over. With --run static-pod its kubelet
runs an agent that knows the servers given here, also where there is no systemd.`,
  examples: [
    [
      'For three API servers',
      'vip render --vip 198.18.0.1 --servers 10.0.0.1:6443,10.0.0.2:6443,10.0.0.3:6443 --out vip',
    ],
    [
      'With an agent, run by the kubelet',
      'vip render --vip 198.18.0.1 --servers 10.0.0.1:6443 --run static-pod --out vip',
    ],
    ['Only look', 'vip render --vip 198.18.0.1 --servers 10.0.0.1:6443 --dry-run'],
  ],
  flags: {
    vip: flag.string('The virtual IP: an address that nobody has, such as 198.18.0.1'),
    servers: flag.string('ADDRESS:PORT,...: the API servers'),
    port: flag.count('Its port; default: the one of the first API server', { min: 1, max: 65_535 }),
    scheduler: schedulerFlag,
    tlsServerName: tlsServerNameFlag,
    run: flag.choice(
      ['systemd', 'static-pod'],
      'systemd: rules alone, put back at a boot; static-pod: an agent of the kubelet',
      {
        default: 'systemd',
      },
    ),
    ...imageFlags,
    out: flag.string('Folder to write into', { files: true }),
    dryRun: flag.choice(['none', 'client'], 'client: print the files and change nothing', {
      default: 'none',
      bare: 'client',
    }),
    force: mutatingFlags.force,
  },
  async run({ flags, session }) {
    const { settingsFrom } = await import('../../vip/render/settings.ts')
    const { vip, servers, port, scheduler, tlsServerName } = flags
    const files = await filesFor(settingsFrom({ vip, servers, port, scheduler, tlsServerName }), flags)
    if (flags.dryRun !== 'none') {
      for (const { path, content } of files) session.out(`# ${path}\n${content}`)
      return session.say('Nothing was changed (dry run).')
    }
    const { out } = flags
    if (out === undefined)
      throw new UserError('where to?', { hint: `--out DIR; or only look: ${program} vip render --dry-run ...` })
    const { writeFolder } = await import('../../vip/render/write.ts')
    const written = await writeFolder(out, files, flags.force)
    if (written.length === 0) return session.say(`Nothing to do: ${out} is as this version writes it.`)
    for (const path of written) session.out(`${out}/${path}`)
    session.say(`\nThe commands in order:  ${out}/README.md`)
  },
})

interface Runs {
  run: 'systemd' | 'static-pod'
  image: string | undefined
  imageRegistry: string | undefined
}

async function filesFor(settings: VipSettings, { run, image, imageRegistry }: Runs): Promise<TextFile[]> {
  if (run === 'static-pod') {
    const { staticPodFolder } = await import('../../vip/render/static-pod.ts')
    return staticPodFolder(settings, { nodes: [], image, imageRegistry })
  }
  if (image !== undefined || imageRegistry !== undefined)
    throw new UserError('--image and --image-registry are for an agent, and a unit of systemd runs none', {
      hint: '--run static-pod',
    })
  const { nodeFolder } = await import('../../vip/render/folder.ts')
  return nodeFolder(settings)
}
