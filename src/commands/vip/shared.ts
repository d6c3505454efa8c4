import { type FlagValues, flag } from '../../cli/flag.ts'
import { mutatingFlags, planeFlags } from '../../cli/flags.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Installation, VipWorld } from '../../vip/world.ts'
import { openClients } from '../clients.ts'

const { kubeconfig, context, as, asGroup, asUid, requestTimeout } = planeFlags

/** Which cluster. */
export const clusterFlags = {
  kubeconfig,
  context: { ...context, description: 'Context of the cluster; default: the current one' },
  as,
  asGroup,
  asUid,
  requestTimeout,
}

const { dryRun, timeout, force } = mutatingFlags
export const vipMutatingFlags = { dryRun, timeout, force }

export type ClusterFlags = FlagValues<typeof clusterFlags>

/** The one cluster that a command is about. Throws UserError where no context is chosen. */
export async function openCluster(flags: ClusterFlags, session: Session): Promise<KubeClient> {
  const clients = await openClients(
    { ...flags, hostContext: undefined, memberContext: [], namespace: undefined },
    session,
  )
  const context = flags.context ?? clients.kubeconfig.currentContext
  if (context) return clients.clientOf(context)
  throw new UserError('the kubeconfig has no current context', {
    hint: `choose one: --context ${[...clients.kubeconfig.contexts.keys()].join(' | ') || 'NAME'}`,
  })
}

export const worldOf = (
  client: KubeClient,
  { signal }: Session,
  { timeout, force }: FlagValues<typeof vipMutatingFlags>,
): VipWorld => ({ client, signal, timeoutMs: timeout, force })

/** What "vip up" made. Throws UserError where there is nothing. */
export async function requireInstallation(client: KubeClient, { signal }: Session): Promise<Installation> {
  const { findInstallation } = await import('../../vip/world.ts')
  const found = await findInstallation(client, { signal })
  if (found) return found
  throw new UserError(`cluster ${client.context} has no virtual IP of API servers`, {
    hint: 'kubectl karmada-net vip up --vip 198.18.0.1',
  })
}

/** `host:port`, both checked where settings are read. */
export const staticServerFlag = flag.list('ADDRESS:PORT of an API server that the cluster does not name; repeatable')

export const schedulerFlag = flag.choice(
  ['rr', 'lc', 'wlc', 'mh'],
  'How new connections are spread over API servers; default: lc',
)

export const tlsServerNameFlag = flag.string(
  "The name that API servers' certificates are checked for; default: kubernetes",
)

export const imageFlags = {
  image: flag.string('Another image of the agent'),
  imageRegistry: flag.string('Take the image from this registry: mirror.example.com/ghcr'),
}
