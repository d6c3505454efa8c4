import { build } from '../build-info.ts'
import { defineCommand } from '../cli/command.ts'
import { explain } from '../cli/errors.ts'
import { flag } from '../cli/flag.ts'
import { outputFlag, planeFlags } from '../cli/flags.ts'
import { printData } from '../cli/print.ts'
import type { Session } from '../cli/session.ts'
import { openClients, type PlaneFlags } from './clients.ts'

export const version = defineCommand({
  name: 'version',
  summary: 'Print the version of this plugin and of the API server',
  description: `Print the version of this plugin and of the API server that the context points to.
Where no server answers, the plugin's own version is printed all the same.`,
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
    if (!flags.output) session.out(`Client Version: ${clientVersion.version}`)
    const serverVersion = flags.client ? undefined : await askServer(flags, session)
    if (flags.output) return printData(session, { clientVersion, serverVersion }, flags.output)
    if (serverVersion)
      session.out(`Server Version: ${serverVersion.gitVersion}${serverVersion.karmada ? ' (Karmada)' : ''}`)
  },
})

interface ServerVersion {
  gitVersion: string
  context: string
  /** Is it a Karmada control plane? */
  karmada: boolean
}

const patienceMs = 5000

/** Best effort: a server that is away costs a line on stderr, not the command. Throws UserError for a context asked for that is not there. */
async function askServer(flags: PlaneFlags, session: Session): Promise<ServerVersion | undefined> {
  const { kubeconfig, clientOf } = await openClients(
    { ...flags, requestTimeout: flags.requestTimeout ?? patienceMs },
    session,
  )
  const context = flags.context ?? kubeconfig.currentContext
  if (!context) return undefined
  const client = clientOf(context)
  const { signal } = session
  try {
    const [version, karmada] = await Promise.all([
      client.raw('/version', { signal }),
      client.raw('/apis/cluster.karmada.io', { signal }),
    ])
    if (version.status >= 400) throw new Error(`${client.server}/version answered with status ${version.status}`)
    const { gitVersion } = JSON.parse(version.text) as { gitVersion: string }
    return { gitVersion, context, karmada: karmada.status < 400 }
  } catch (error) {
    if (signal.aborted) throw error
    session.warn(`no server version: ${reason(error)}`)
    return undefined
  } finally {
    client.close()
  }
}

function reason(error: unknown): string {
  const { message, bug } = explain(error)
  return bug && error instanceof Error ? error.message : message
}

/** As Go names it, and so kubectl and the release archives. */
function goArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch === 'ia32' ? '386' : process.arch
}
