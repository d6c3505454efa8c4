import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import type { Complete } from '../../cli/complete.ts'
import { flag } from '../../cli/flag.ts'
import { outputFlag } from '../../cli/flags.ts'
import type { Session } from '../../cli/session.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Callable } from '../../vip/drain/target.ts'
import type { Installation } from '../../vip/world.ts'
import {
  type ClusterFlags,
  clusterFlags,
  openCluster,
  requireInstallation,
  vipMutatingFlags,
  worldOf,
} from './shared.ts'

/** Most clients hold a watch as long as they can: whoever does not say how long is not kept waiting. Milliseconds. */
const shortlyMs = 5000

const drainFlags = { ...clusterFlags, ...vipMutatingFlags, output: outputFlag(['yaml', 'json', 'name']) }

/** `drained`: only those that are, or only those that are not. */
const serverNames =
  (drained: boolean): Complete =>
  async ({ flags, session }) => {
    const client = await openCluster(flags as ClusterFlags, session)
    const found = await requireInstallation(client, session)
    const servers = await serversOf(client, found, session)
    return servers
      .filter(({ address }) => found.settings.drained.includes(address) === drained)
      .map(({ address, node }) => ({ word: address, description: node }))
  }

async function serversOf(client: KubeClient, { settings }: Installation, { signal }: Session): Promise<Callable[]> {
  const { callables } = await import('../../vip/drain/target.ts')
  const { readFacts } = await import('../../vip/up/facts.ts')
  return callables(settings, await readFacts(client, [], { signal }))
}

export const vipDrain = defineCommand({
  name: 'vip drain',
  summary: 'Lead new connections past one API server, before it is stopped',
  description: `Gives it weight 0 on every node: connections that are open go on, new ones go to the others. Open connections are waited for a
moment, and how many are left is said for each node; with --wait-for-connections it fails where some are left after that time. Refused where
it is the last one that is up. It stays so until "vip undrain".

APISERVER is its address, its address and port, or the name of its node.`,
  examples: [
    ['Before its machine is restarted', 'vip drain 10.0.0.11'],
    ['Until nobody uses it any more', 'vip drain 10.0.0.11:6443 --wait-for-connections 10m'],
    ["By its node's name", 'vip drain control-plane-1'],
  ],
  args: { server: arg.one('APISERVER', { required: true, complete: serverNames(false) }) },
  flags: {
    ...drainFlags,
    force: flag.boolean('Also the last one that is up, and over what somebody else set by hand'),
    waitForConnections: flag.duration(
      'Fail where connections are still open after this time; default: 5s, and no failure',
    ),
  },
  async run({ server, flags, session }) {
    const { find } = await import('../../vip/drain/target.ts')
    const { drainSteps } = await import('../../vip/drain/steps.ts')
    const { perform } = await import('../../cli/perform.ts')
    const client = await openCluster(flags, session)
    const found = await requireInstallation(client, session)
    const address = find(server, await serversOf(client, found, session))
    const { dryRun, output, waitForConnections } = flags
    const patience = { connectionsMs: waitForConnections ?? shortlyMs, mustEnd: waitForConnections !== undefined }
    const steps = drainSteps({ address, found, ...patience })
    const undo = () => `vip undrain ${address}`
    const { changed } = await perform(session, [{ steps }], worldOf(client, session, flags), { dryRun, output, undo })
    if (dryRun !== 'none') return
    session.say(changed ? `\nDrained: ${address}.` : `\nNothing to do: ${address} was drained already.`)
    session.say(`When it is back:  kubectl karmada-net vip undrain ${address}`)
  },
})

export const vipUndrain = defineCommand({
  name: 'vip undrain',
  summary: 'Lead new connections to an API server again',
  description: `Takes back what "vip drain" did, and says on how many nodes it is up. One that is not up by then gets no connections before it is.

APISERVER is its address, its address and port, or the name of its node.`,
  examples: [['After its machine is back', 'vip undrain 10.0.0.11']],
  args: { server: arg.one('APISERVER', { required: true, complete: serverNames(true) }) },
  flags: drainFlags,
  async run({ server, flags, session }) {
    const { find } = await import('../../vip/drain/target.ts')
    const { undrainSteps } = await import('../../vip/drain/steps.ts')
    const { perform } = await import('../../cli/perform.ts')
    const client = await openCluster(flags, session)
    const found = await requireInstallation(client, session)
    const address = find(server, await serversOf(client, found, session))
    const { dryRun, output } = flags
    const steps = undrainSteps({ address, found })
    const { changed } = await perform(session, [{ steps }], worldOf(client, session, flags), { dryRun, output })
    if (dryRun !== 'none') return
    session.say(changed ? `\nTakes connections again: ${address}.` : `\nNothing to do: ${address} was not drained.`)
  },
})
