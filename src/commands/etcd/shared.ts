import { join } from 'node:path'
import type { Complete } from '../../cli/complete.ts'
import { type FlagValues, flag } from '../../cli/flag.ts'
import { mutatingFlags, planeFlags } from '../../cli/flags.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { ClusterSpec, ClusterState, MemberSpec } from '../../etcd/cluster.ts'
import type { StoreContext } from '../../etcd/store/secrets.ts'
import type { Store } from '../../etcd/store/store.ts'
import type { EtcdWorld, Surroundings } from '../../etcd/world.ts'
import type { KubeClient } from '../../kube/types.ts'
import { type Clients, openClients } from '../clients.ts'

const clusterNames: Complete = async ({ flags, session }) => {
  const { listClusters } = await import('../../etcd/store/directory.ts')
  const folder = await stateFolder(session, typeof flags['state'] === 'string' ? flags['state'] : undefined)
  return (await listClusters(folder)).map(word => ({ word }))
}

const { kubeconfig, as, asGroup, asUid, requestTimeout } = planeFlags

/** Which etcd cluster, and how its machines are reached. */
export const etcdFlags = {
  kubeconfig,
  as,
  asGroup,
  asUid,
  requestTimeout,
  etcd: flag.string('Name of the etcd cluster; default: the only one', { complete: clusterNames }),
  state: flag.string('Folder of what is remembered of clusters on docker and files; default: ~/.kube/karmada-net', {
    files: true,
  }),
}

export type EtcdFlags = FlagValues<typeof etcdFlags>

const { timeout, yes } = mutatingFlags
/** For commands that change something. There are no servers that could validate a step beforehand, so a dry run is the plan alone. */
export const etcdMutatingFlags = {
  dryRun: flag.choice(['none', 'client'], 'client: show what would be done and change nothing', {
    default: 'none',
    bare: 'client',
  }),
  timeout,
  yes,
}

/**
 * The cluster that the flags lead to: by name, or the only one there is. Looks into the state folder, then into the kubeconfig's
 * contexts. `newcomers` are about to be members of it. Throws UserError when there is none, or several.
 */
export async function openEtcd(
  flags: EtcdFlags & { timeout?: number },
  session: Session,
  newcomers: MemberSpec[] = [],
): Promise<EtcdWorld> {
  const [{ createWorld }, { contextsOf }] = await Promise.all([
    import('../../etcd/index.ts'),
    import('../../etcd/contexts.ts'),
  ])
  const { store, state, strays } = await findEtcd(flags, session)
  if (!state) {
    throw new UserError(`nothing is known of an etcd cluster in ${store.where}`, {
      hint: 'kubectl karmada-net etcd up begins one',
    })
  }
  const larger = { ...state.spec, members: [...state.spec.members, ...newcomers] }
  const moves = contextsOf(larger).length > contextsOf(state.spec).length && contextsOf(state.spec).length > 0
  // A cluster that is new to it gets its copy with the first thing that is remembered.
  const kept = moves ? await storeFor(flags, session, larger, strays) : store
  return createWorld(kept, state, await surroundings(flags, session, larger))
}

/** What drivers need around them; contexts are read only for members that run in Kubernetes. */
export async function surroundings(
  flags: EtcdFlags & { timeout?: number },
  session: Session,
  spec: ClusterSpec,
): Promise<Surroundings> {
  const { contextsOf } = await import('../../etcd/contexts.ts')
  const contexts = contextsOf(spec)
  const clients = contexts.length > 0 ? await kubeClients(flags, session) : undefined
  return {
    env: session.io.env,
    signal: session.signal,
    timeoutMs: flags.timeout ?? 5 * 60_000,
    clientOf: (context): KubeClient => {
      if (!clients) throw new Error(`context ${context} is not of this cluster`)
      return clients.clientOf(context)
    },
  }
}

/** Where a cluster of this shape is remembered. `strays` have a copy, and no member any more. */
export async function storeFor(
  flags: EtcdFlags,
  session: Session,
  spec: ClusterSpec,
  strays: StoreContext[] = [],
): Promise<Store> {
  const { contextsOf } = await import('../../etcd/contexts.ts')
  const contexts = contextsOf(spec)
  if (contexts.length === 0) {
    const { createDirectoryStore } = await import('../../etcd/store/directory.ts')
    return createDirectoryStore(join(await stateFolder(session, flags.state), 'etcd', spec.name))
  }
  const { createSecretsStore } = await import('../../etcd/store/secrets.ts')
  const { clientOf } = await kubeClients(flags, session)
  const clients = contexts.map(context => ({ context, client: clientOf(context) }))
  const options = { signal: session.signal, onWarning: session.warn, strays }
  return createSecretsStore(clients, namespaceOf(spec), spec.name, options)
}

function namespaceOf({ members }: ClusterSpec): string {
  const [first] = members.flatMap(({ driver }) => (driver.kind === 'kubernetes' ? [driver.namespace] : []))
  return first ?? 'karmada-net-etcd'
}

const kubeClients = (flags: EtcdFlags, session: Session): Promise<Clients> =>
  openClients(
    { ...flags, context: undefined, hostContext: undefined, memberContext: [], namespace: undefined },
    session,
  )

export async function stateFolder({ io }: Session, given: string | undefined): Promise<string> {
  const { homedir } = await import('node:os')
  return given ?? io.env['KARMADA_NET_STATE'] ?? join(io.env['HOME'] || homedir(), '.kube', 'karmada-net')
}

interface Remembered {
  store: Store
  /** With the names that this kubeconfig has for contexts. */
  state?: ClusterState | undefined
  strays?: StoreContext[]
}

async function findEtcd(flags: EtcdFlags, session: Session): Promise<Remembered> {
  const folder = await stateFolder(session, flags.state)
  const { createDirectoryStore, listClusters } = await import('../../etcd/store/directory.ts')
  const here = await listClusters(folder)
  const name = flags.etcd ?? (here.length === 1 ? here[0] : undefined)
  if (name !== undefined && here.includes(name)) {
    const { readState } = await import('../../etcd/index.ts')
    const store = createDirectoryStore(join(folder, 'etcd', name))
    return { store, state: await readState(store) }
  }
  if (name === undefined && here.length > 1) throw several(here)
  return findInContexts(flags, session, folder)
}

/** A context that does not answer cannot hold a cluster that could be worked on. */
async function findInContexts(flags: EtcdFlags, session: Session, folder: string): Promise<Remembered> {
  const [{ createSecretsStore }, { readState }, { contextsOf, inOwnWords, straysAmong }] = await Promise.all([
    import('../../etcd/store/secrets.ts'),
    import('../../etcd/index.ts'),
    import('../../etcd/contexts.ts'),
  ])
  const looked = await lookInto(flags, session)
  const reached = new Map(looked.map(({ context, id }) => [context, id]))
  const found = looked
    .flatMap(({ context, client, clusters }) => clusters.map(cluster => ({ ...cluster, context, client })))
    .filter(({ name }) => name === (flags.etcd ?? name))
  const names = [...new Set(found.map(({ name }) => name))]
  const [first] = found
  if (!first) {
    const silent = looked.flatMap(({ context, answered }) => (answered ? [] : [context]))
    throw none(flags.etcd, folder, silent)
  }
  if (names.length > 1) throw several(names)
  const store = createSecretsStore(found, first.namespace, first.name, { signal: session.signal })
  const told = await readState(store)
  const spec = told && inOwnWords(told, reached).spec
  // Where no member runs in Kubernetes any more, it stays where it is.
  if (!told || !spec || contextsOf(spec).length === 0) return { store, state: told }
  // More than half of all its copies must agree, not of those that happened to answer.
  const strays = straysAmong(found, { ...told, spec }, reached)
  const own = await storeFor(flags, session, spec, strays)
  const state = await readState(own)
  return { store: own, state: state && inOwnWords(state, reached), strays }
}

/** Every context of the kubeconfig at once. */
async function lookInto(flags: EtcdFlags, session: Session) {
  const [{ listClusters }, { clusterId }, { isConnectionError }, { kubeconfig, clientOf }] = await Promise.all([
    import('../../etcd/store/remembered.ts'),
    import('../../etcd/contexts.ts'),
    import('../../kube/errors.ts'),
    kubeClients(flags, session),
  ])
  const options = { signal: session.signal }
  const looking = [...kubeconfig.contexts.keys()].map(async context => {
    const client = clientOf(context)
    const [listed, id] = await Promise.all([
      // Who may not list Secrets there has no cluster there.
      listClusters(client, options).catch((error: unknown) => (isConnectionError(error) ? undefined : [])),
      clusterId(client, options),
    ])
    return { context, client, clusters: listed ?? [], answered: listed !== undefined, id }
  })
  return Promise.all(looking)
}

function none(name: string | undefined, folder: string, silent: readonly string[]): UserError {
  const what = name === undefined ? 'no etcd cluster' : `no etcd cluster "${name}"`
  if (silent.length > 0) {
    return new UserError(`${what} was found in ${folder}, and these contexts did not answer: ${silent.join(', ')}`, {
      hint: 'kubectl karmada-net contexts',
    })
  }
  return new UserError(`there is ${what} in ${folder}, nor in a context of the kubeconfig`, {
    hint: 'kubectl karmada-net etcd up begins one; --state names another folder',
  })
}

const several = (names: string[]) =>
  new UserError(`there are several etcd clusters: ${names.join(', ')}`, { hint: `choose one: --etcd ${names[0]}` })
