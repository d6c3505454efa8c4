import type { Kubeconfig } from '../kube/kubeconfig.ts'
import { contextsIn, isCertain } from './certain.ts'
import { unknownContext } from './choose-plane.ts'
import { classify } from './classify.ts'
import { authorityOf, type Contexts, type Target, targetsOf } from './contexts.ts'
import { lookCloser } from './look-closer.ts'
import { probeContexts } from './probe.ts'
import { resolvePlane } from './resolve.ts'
import type { Fleet, Member, Plane, Probe, Selection } from './types.ts'

export interface FindOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds for one context. Default 5000. */
  timeoutMs?: number | undefined
  /** Called as each context is done. */
  onProbe?: ((probe: Probe) => void) | undefined
  /** Find the members' contexts, too. Costs the wait for contexts that do not answer; without it members have a context only where one is given. */
  memberContexts?: boolean | undefined
}

/** Who is who among all contexts. Rejects only with the signal's reason. */
export async function findFleet(contexts: Contexts, options: Omit<FindOptions, 'memberContexts'> = {}): Promise<Fleet> {
  const probes = await probeContexts(targetsOf(contexts.kubeconfig), contexts.clientOf, options)
  return lookCloser(classify(probes), looking(contexts, options))
}

const looking = ({ kubeconfig, clientOf }: Contexts, options: FindOptions) => ({
  ...options,
  clientOf,
  authorityOf: (context: string) => authorityOf(kubeconfig, context),
})

/**
 * The control plane to work on. Asks all contexts at once and goes on as soon as the plane and its host are certain, so that a
 * context that does not answer costs no time; asks only those that were named when that is enough.
 * Throws UserError as `resolvePlane`, and for a context that the kubeconfig does not have.
 */
export async function findPlane(contexts: Contexts, selection: Selection, options: FindOptions = {}): Promise<Plane> {
  const { currentContext } = contexts.kubeconfig
  const targets = targetsFor(contexts.kubeconfig, selection, options)
  const enough = (probes: Probe[]) => !options.memberContexts && isCertain(probes, targets, selection, currentContext)
  const fleet = await probeUntil(contexts, targets, options, enough)
  const plane = resolvePlane(fleet, selection, { clientOf: contexts.clientOf, currentContext })
  if (options.memberContexts) return plane
  return { ...plane, members: plane.members.map(member => withoutChance(member, selection)) }
}

/** Which contexts beyond the plane's and the host's had answered by then is chance. */
function withoutChance({ name, mode, cluster, context, client }: Member, { memberContext = {} }: Selection): Member {
  return memberContext[name] === undefined ? { name, mode, cluster } : { name, mode, cluster, context, client }
}

/** The contexts to ask, those that were named first. Throws UserError for one that is not there. */
function targetsFor(kubeconfig: Kubeconfig, selection: Selection, options: FindOptions): Target[] {
  const targets = targetsOf(kubeconfig)
  const named = contextsIn(selection)
  const known = targets.map(({ context }) => context)
  for (const context of named) if (!known.includes(context)) throw unknownContext(context, known)
  const rank = ({ context }: Target) => (named.includes(context) ? 0 : context === kubeconfig.currentContext ? 1 : 2)
  if (selection.context === undefined || selection.hostContext === undefined || options.memberContexts) {
    return targets.toSorted((a, b) => rank(a) - rank(b))
  }
  return targets.filter(({ context }) => named.includes(context))
}

/** The fleet as far as it is known once `enough` says so, or all of it. */
async function probeUntil(
  contexts: Contexts,
  targets: Target[],
  options: FindOptions,
  enough: (probes: Probe[]) => boolean,
): Promise<Fleet> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const probes: Probe[] = []
  const certain = Promise.withResolvers<Probe[]>()
  const all = probeContexts(targets, contexts.clientOf, {
    ...options,
    signal,
    onProbe(probe) {
      probes.push(probe)
      options.onProbe?.(probe)
      if (enough(probes)) certain.resolve([...probes])
    },
  })
  try {
    const found = await Promise.race([all, certain.promise])
    const fleet = classify(inOrder(found, targetsOf(contexts.kubeconfig)))
    return found.length === targets.length ? await lookCloser(fleet, looking(contexts, options)) : fleet
  } finally {
    stop.abort(new Error('enough is known'))
    all.catch(() => undefined)
  }
}

/** In the order of the kubeconfig, so that the first of two contexts of one cluster is always the same. */
function inOrder(probes: Probe[], targets: Target[]): Probe[] {
  const place = new Map(targets.map(({ context }, index) => [context, index]))
  return probes.toSorted((a, b) => (place.get(a.context) ?? 0) - (place.get(b.context) ?? 0))
}
