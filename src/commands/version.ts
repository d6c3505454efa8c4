import { build } from '../cli/build-info.ts'
import { defineCommand } from '../cli/command.ts'
import { flag } from '../cli/flag.ts'
import { outputFlag, planeFlags } from '../cli/flags.ts'
import { printData } from '../cli/print.ts'

export const version = defineCommand({
  name: 'version',
  summary: 'Print the version of this plugin and of the control plane',
  description: `Print the version of this plugin and of the API server that the context points to.
Without a server that answers, the plugin's own version is printed all the same.`,
  examples: [
    ['The plugin alone, without asking a server', 'version --client'],
    ['For programs', 'version --client -o json'],
  ],
  flags: {
    ...planeFlags,
    client: flag.boolean('Only the version of this plugin'),
    output: outputFlag(['json', 'yaml']),
  },
  async run({ flags, session }) {
    const clientVersion = {
      version: `v${build.version}`,
      gitCommit: build.commit,
      nodeVersion: process.version,
      platform: `${process.platform === 'win32' ? 'windows' : process.platform}/${goArchitecture()}`,
    }
    if (flags.output) await printData(session, { clientVersion }, flags.output)
    else session.out(`Client Version: ${clientVersion.version}`)
  },
})

/** As Go names it, and so kubectl and the release archives. */
function goArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch === 'ia32' ? '386' : process.arch
}
