import { type FlagValues, flag } from '../../cli/flag.ts'
import { mutatingFlags, planeFlags } from '../../cli/flags.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { VipWorld } from '../../vip/world.ts'
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

type ClusterFlags = FlagValues<typeof clusterFlags>

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

/** `host:port`, both checked where settings are read. */
export const staticServerFlag = flag.list('ADDRESS:PORT of an API server that the cluster does not name; repeatable')
