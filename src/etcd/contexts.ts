import { UserError } from '../errors.ts'
import type { CallOptions, KubeClient, KubeObject } from '../kube/types.ts'
import type { ClusterSpec, ClusterState, MemberSpec } from './cluster.ts'
import type { Surroundings } from './world.ts'

/** Milliseconds: a cluster that is away must not hold up the others. */
const askMs = 5000
const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }

/** By context: the id of the cluster that it leads to; undefined: not known. */
type Reached = ReadonlyMap<string, string | undefined>

const contextOf = ({ driver }: MemberSpec): string | undefined =>
  driver.kind === 'kubernetes' ? driver.context : undefined

/** Contexts of the members that run in Kubernetes. Pure. */
export const contextsOf = ({ members }: Pick<ClusterSpec, 'members'>): string[] => [
  ...new Set(members.flatMap(member => contextOf(member) ?? [])),
]

/** What names a cluster whatever its context is called; undefined: it does not answer, or may not be asked. */
export async function clusterId(client: KubeClient, options: CallOptions = {}): Promise<string | undefined> {
  const found = await client.find<KubeObject>(kubeSystem, { timeoutMs: askMs, ...options }).catch(() => undefined)
  options.signal?.throwIfAborted()
  return found?.metadata.uid
}

/** With the clusters that its contexts lead to, as far as they answer, so that others find them who call them otherwise. */
export async function withClusters(
  state: ClusterState,
  around: Pick<Surroundings, 'clientOf' | 'signal'>,
): Promise<ClusterState> {
  const { clusters: known = {}, ...rest } = state
  const contexts = contextsOf(state.spec)
  const reached = await reach(
    contexts.filter(context => !(context in known)),
    around,
  )
  const ids = contexts.map(context => [context, known[context] ?? reached.get(context)] as const)
  const clusters = Object.fromEntries(ids.flatMap(([context, id]) => (id === undefined ? [] : [[context, id]])))
  return Object.keys(clusters).length > 0 ? { ...rest, clusters } : rest
}

/** Asks each of them at once. */
export async function reach(
  contexts: readonly string[],
  { clientOf, signal }: Pick<Surroundings, 'clientOf' | 'signal'>,
): Promise<Reached> {
  const asked = contexts.map(async context => [context, await clusterId(clientOf(context), { signal })] as const)
  return new Map(await Promise.all(asked))
}

/** Contexts that no member is left in. The same cluster under another name is not one. Pure. */
export function abandoned(before: ClusterState, after: ClusterState): string[] {
  const staying = contextsOf(after.spec)
  const ids = Object.values(after.clusters ?? {})
  return contextsOf(before.spec).filter(
    context => !staying.includes(context) && !ids.includes(before.clusters?.[context] ?? ''),
  )
}

/**
 * The state with the names that this kubeconfig has for its clusters, whoever remembered it. Pure.
 * Throws UserError for a cluster that none of its contexts leads to.
 */
export function inOwnWords(state: ClusterState, reached: Reached): ClusterState {
  const own = new Map(contextsOf(state.spec).map(context => [context, ownContext(state, context, reached)]))
  if ([...own].every(([context, name]) => context === name)) return state
  const members = state.spec.members.map(member =>
    member.driver.kind === 'kubernetes'
      ? { ...member, driver: { ...member.driver, context: own.get(member.driver.context) ?? member.driver.context } }
      : member,
  )
  const clusters = Object.entries(state.clusters ?? {}).map(([context, id]) => [own.get(context) ?? context, id])
  return { ...state, spec: { ...state.spec, members }, clusters: Object.fromEntries(clusters) }
}

function ownContext({ spec, clusters }: ClusterState, context: string, reached: Reached): string {
  const id = clusters?.[context]
  const there = reached.get(context)
  // One that does not say who it is counts by its name: it may only be away.
  if (reached.has(context) && (id === undefined || there === undefined || there === id)) return context
  const other = id === undefined ? undefined : [...reached].find(([, found]) => found === id)?.[0]
  if (other !== undefined) return other
  const members = spec.members.filter(member => contextOf(member) === context).map(({ name }) => name)
  const wrong = reached.has(context) ? `; context ${context} leads to another one` : ''
  throw new UserError(
    `no context of the kubeconfig leads to the cluster of ${members.join(', ')}, remembered as ${context}${wrong}`,
    {
      hint:
        id === undefined
          ? `name a kubeconfig that has the context ${context}: --kubeconfig FILE`
          : `name a kubeconfig with a context for it, whatever it is called: --kubeconfig FILE (the UID of its kube-system: ${id})`,
    },
  )
}

/**
 * The clusters that an inventory's contexts lead to. Pure. One that does not answer is taken for the one that its member ran in.
 * Throws UserError where a member runs in another one.
 */
export function sameClusters(
  state: ClusterState,
  { members }: Pick<ClusterSpec, 'members'>,
  reached: Reached,
): Pick<ClusterState, 'clusters'> {
  const clusters: Record<string, string> = {}
  for (const member of members) {
    const context = contextOf(member)
    if (context === undefined) continue
    const before = state.spec.members.find(({ name }) => name === member.name)
    const ran = before && state.clusters?.[contextOf(before) ?? '']
    const there = reached.get(context) ?? ran
    if (ran !== undefined && there !== ran) {
      throw new UserError(`${member.name} runs in another cluster than the one that context ${context} leads to`, {
        hint: `name the context of its cluster (the UID of its kube-system: ${ran}); to move it: kubectl karmada-net etcd member replace ${member.name} --member ${member.name}=${member.address},context=${context}`,
      })
    }
    if (there !== undefined) clusters[context] ??= there
  }
  return Object.keys(clusters).length > 0 ? { clusters } : {}
}

/** Contexts whose copy of what is remembered is nobody's any more: of clusters that are known, and have no member. Pure. */
export function straysAmong<T extends { context: string }>(found: T[], state: ClusterState, reached: Reached): T[] {
  const homes = contextsOf(state.spec)
  const ids = homes.map(context => reached.get(context) ?? state.clusters?.[context])
  if (homes.length === 0 || ids.includes(undefined)) return []
  return found.filter(({ context }) => {
    const id = reached.get(context)
    return id !== undefined && !homes.includes(context) && !ids.includes(id)
  })
}
