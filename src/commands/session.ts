import type { Complete } from '../cli/complete.ts'
import type { Session } from '../cli/session.ts'
import type { FindOptions } from '../topology/find.ts'
import type { Fleet, Plane, Selection, SyncMode } from '../topology/types.ts'
import { openClients, type PlaneFlags } from './clients.ts'

/** One context may take so long, all its requests together, unless `--request-timeout` says otherwise. */
const patienceMs = 5000
/** From then on the user is told who is waited for. */
const silenceMs = 2000

/** Who is who among all contexts of the kubeconfig. */
export async function openFleet(flags: PlaneFlags, session: Session): Promise<Fleet> {
  const [contexts, { findFleet }] = await Promise.all([openClients(flags, session), import('../topology/find.ts')])
  return withNotice(session, [...contexts.kubeconfig.contexts.keys()], onProbe =>
    findFleet(contexts, { ...limits(flags, session), onProbe }),
  )
}

/**
 * The control plane that the flags lead to, with its host and members.
 * `memberContexts` also finds the members' own contexts, and waits for all contexts to do so.
 * Throws UserError when none fits or several do, or when its host is not found or not reached.
 */
export async function openPlane(
  flags: PlaneFlags,
  session: Session,
  { memberContexts = false }: Pick<FindOptions, 'memberContexts'> = {},
): Promise<Plane> {
  const [contexts, { findPlane }] = await Promise.all([openClients(flags, session), import('../topology/find.ts')])
  return withNotice(session, [...contexts.kubeconfig.contexts.keys()], onProbe =>
    findPlane(contexts, selectionOf(flags), { ...limits(flags, session), memberContexts, onProbe }),
  )
}

/** What the flags say about who is who. */
function selectionOf({ context, hostContext, namespace, memberContext }: PlaneFlags): Selection {
  const byMember = Object.fromEntries(memberContext.map(({ member, context }) => [member, context]))
  return { context, hostContext, namespace, memberContext: byMember }
}

const limits = ({ requestTimeout }: PlaneFlags, { signal }: Session): FindOptions => ({
  signal,
  timeoutMs: requestTimeout || patienceMs,
})

/** A context that does not answer is named while it is waited for. */
async function withNotice<T>(
  session: Session,
  contexts: string[],
  work: (onProbe: NonNullable<FindOptions['onProbe']>) => Promise<T>,
): Promise<T> {
  const silent = new Set(contexts)
  const timer = setTimeout(() => {
    if (silent.size > 0) session.say(`Waiting for an answer from ${[...silent].join(', ')}`)
  }, silenceMs)
  try {
    return await work(({ context }) => silent.delete(context))
  } finally {
    clearTimeout(timer)
  }
}

/** Completes the names of members, of one mode or all. */
export const memberNames =
  (mode?: SyncMode): Complete =>
  async ({ flags, session, words }) => {
    const { membersForCompletion } = await import('../topology/complete.ts')
    const planeFlags = flags as PlaneFlags
    const clusters = await membersForCompletion(await openClients(planeFlags, session), planeFlags.context)
    return clusters
      .filter(({ metadata, spec }) => !words.includes(metadata.name) && (mode === undefined || spec.syncMode === mode))
      .map(({ metadata, spec }) => ({ word: metadata.name, description: `${spec.syncMode.toLowerCase()} mode` }))
  }
