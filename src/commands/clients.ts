import type { FlagValues } from '../cli/flag.ts'
import type { planeFlags } from '../cli/flags.ts'
import type { Session } from '../cli/session.ts'
import type { Kubeconfig } from '../kube/kubeconfig.ts'
import type { KubeClient } from '../kube/types.ts'

export type PlaneFlags = FlagValues<typeof planeFlags>

export interface Clients {
  kubeconfig: Kubeconfig
  /** The client of a context, as the flags want it; one per context, so that its connections are kept. */
  clientOf(context: string): KubeClient
}

/** What `--kubeconfig`, `--as...` and `--request-timeout` lead to. Reads files, asks no server. Throws UserError for a kubeconfig that cannot be read. */
export async function openClients(flags: PlaneFlags, session: Session): Promise<Clients> {
  const { io, verbosity, log, warn } = session
  const [{ loadKubeconfig }, { createClient }] = await Promise.all([
    import('../kube/kubeconfig-files.ts'),
    import('../kube/client.ts'),
  ])
  const kubeconfig = await loadKubeconfig({ env: io.env, path: flags.kubeconfig })
  // Nobody should be asked for the password of a cluster that is only looked at in passing.
  const meant = [
    flags.context ?? kubeconfig.currentContext,
    flags.hostContext,
    ...flags.memberContext.map(({ context }) => context),
  ]
  const made = new Map<string, KubeClient>()
  const clientOf = (context: string) => {
    const client =
      made.get(context) ??
      createClient(kubeconfig, context, {
        env: io.env,
        overrides: { as: flags.as, asGroups: flags.asGroup, asUid: flags.asUid },
        requestTimeoutMs: flags.requestTimeout,
        log: { verbosity, write: line => log(6, line) },
        onWarning: warn,
        interactive: () => meant.includes(context) && io.stdin.isTTY === true,
      })
    made.set(context, client)
    return client
  }
  return { kubeconfig, clientOf }
}
