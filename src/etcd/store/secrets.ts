import { hostname, userInfo } from 'node:os'
import { UserError } from '../../errors.ts'
import { isNotFound } from '../../kube/errors.ts'
import type { KubeClient, ObjectRef } from '../../kube/types.ts'
import { carries, labels } from '../drivers/kubernetes/names.ts'
import { ensureNamespace, releaseNamespace } from '../drivers/kubernetes/namespace.ts'
import { type Copy, changed, copyOf, isMost, newest, type StoreSecret, secretOf } from './copies.ts'
import { type Held, isLost, releaseLease, renewLease, renewMs, type Taken, takeLease } from './lease.ts'
import { callMs, component } from './remembered.ts'
import type { Store } from './store.ts'

export interface StoreContext {
  context: string
  client: KubeClient
}

export interface SecretsOptions {
  signal?: AbortSignal | undefined
  /** Gets what did not stop the command: a context that does not answer. */
  onWarning?: ((text: string) => void) | undefined
  /** Have a copy, and no member any more: it goes with the next change. */
  strays?: StoreContext[] | undefined
}

/** Milliseconds until a namespace is gone. */
const removalMs = 60_000

/** A dot keeps it apart from the names of members. */
const storeName = (cluster: string): string => `etcd.${cluster}`

/**
 * The same Secret in every cluster that has a member; what most of them hold counts, the newest first. One that does not answer costs a
 * warning. Methods throw UserError where most do not answer.
 */
export function createSecretsStore(
  contexts: StoreContext[],
  namespace: string,
  cluster: string,
  options: SecretsOptions = {},
): Store {
  const { signal, onWarning = () => undefined, strays = [] } = options
  // Two contexts may lead to one cluster.
  let clients = [...new Map(contexts.map(each => [each.client.server, each])).values()]
  const name = storeName(cluster)
  const owner = labels(component, cluster)
  const ref: ObjectRef = { apiVersion: 'v1', kind: 'Secret', namespace, name }
  const where = `Secret ${namespace}/${name} in ${clients.length === 1 ? 'context' : 'contexts'} ${clients.map(({ context }) => context).join(', ')}`
  let known: Promise<Copy> | undefined

  /** In all of them at once; what fails in some is a warning, in most of them the first error. */
  async function each<T>(
    what: string,
    work: (client: KubeClient) => Promise<T>,
  ): Promise<{ client: KubeClient; value: T }[]> {
    const settled = await Promise.allSettled(clients.map(async ({ client }) => ({ client, value: await work(client) })))
    signal?.throwIfAborted()
    const done = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = settled.flatMap((result, index) =>
      result.status === 'rejected' ? [{ context: clients[index]?.context, error: result.reason as Error }] : [],
    )
    const [first] = failed
    if (first && !isMost(done.length, clients.length)) {
      if (clients.length === 1 || first.error instanceof UserError) throw first.error
      throw new UserError(
        `${what}: only ${done.length} of ${clients.length} clusters answer\n${failed.map(({ context, error }) => `${context}: ${error.message}`).join('\n')}`,
        { cause: first.error },
      )
    }
    for (const { context, error } of failed) onWarning(`context ${context}: ${what}: ${error.message}`)
    return done
  }

  async function find(client: KubeClient): Promise<Copy> {
    const found = await client.find<StoreSecret>(ref, { signal, timeoutMs: callMs })
    if (!found || carries(found, owner)) return copyOf(found)
    throw new UserError(`Secret ${namespace}/${name} in context ${client.context} was not made by this plugin`)
  }

  const load = async (): Promise<Copy> => newest((await each(`reading ${name}`, find)).map(({ value }) => value))

  /** Asked once; a failure is not remembered. */
  async function current(): Promise<Copy> {
    const asked = known ?? load()
    known = asked
    try {
      return await asked
    } catch (error) {
      if (known === asked) known = undefined
      throw error
    }
  }

  async function put(client: KubeClient, copy: Copy): Promise<void> {
    const secret = secretOf({ namespace, name, labels: owner }, copy)
    // It is nobody else's: a field that was changed by hand must not stop what has to be remembered.
    const write = () => client.apply(secret, { signal, timeoutMs: callMs, force: true })
    try {
      await write()
    } catch (error) {
      if (!isNotFound(error)) throw error
      await ensureNamespace(client, namespace, { signal, timeoutMs: removalMs })
      await write()
    }
  }

  /** Brings those that were away when the last change was made up to date. */
  async function level(): Promise<void> {
    const copies = await each(`reading ${name}`, find)
    const best = newest(copies.map(({ value }) => value))
    const behind = new Set(copies.filter(({ value }) => value.revision < best.revision).map(({ client }) => client))
    await each(`writing ${name}`, async client => {
      if (behind.has(client)) await put(client, best)
    })
    known = Promise.resolve(best)
  }

  /** Copies that nobody will read any more; they hold keys. `tidy`: the namespace, too, where no lock of ours is in it. */
  async function forget(gone: StoreContext[], { tidy = false } = {}): Promise<void> {
    for (const { context, client } of gone) {
      try {
        await find(client)
        await client.delete(ref, { signal, timeoutMs: callMs })
        if (tidy) await releaseNamespace(client, namespace, { signal, timeoutMs: removalMs })
      } catch (error) {
        signal?.throwIfAborted()
        const command = `kubectl --context ${context} delete secret ${name} -n ${namespace}`
        onWarning(
          `what was remembered in context ${context} stays there, with keys (${(error as Error).message}): ${command}`,
        )
      }
    }
  }

  return {
    where,
    async read(path) {
      return (await current()).files[path]
    },
    async list() {
      return Object.keys((await current()).files).sort()
    },
    async write(files) {
      const next = changed(await load(), files)
      known = undefined
      await each(`writing ${name}`, client => put(client, next))
      known = Promise.resolve(next)
    },
    async lock(what) {
      const release = await lockAll(what)
      try {
        await level()
        await forget(strays, { tidy: true })
      } catch (error) {
        await release()
        throw error
      }
      return release
    },
    async leave(gone, staying) {
      const servers = contexts.filter(({ context }) => staying.includes(context)).map(({ client }) => client.server)
      const left = clients.filter(({ context, client }) => gone.includes(context) && !servers.includes(client.server))
      if (servers.length === 0 || left.length === 0) return
      clients = clients.filter(each => !left.includes(each))
      await forget(left)
    },
    async remove() {
      known = undefined
      await each(`removing ${name}`, async client => {
        await find(client)
        await client.delete(ref, { signal, timeoutMs: callMs })
        await releaseNamespace(client, namespace, { signal, timeoutMs: removalMs })
      })
    },
  }

  async function lockAll(what: string): Promise<() => Promise<void>> {
    const holder = `${userInfo().username}@${hostname()}, process ${process.pid}, since ${new Date().toISOString()}: ${what}`
    const held = new Map<KubeClient, Held>()
    const release = async () => {
      clearInterval(timer)
      await Promise.allSettled(
        [...held.values()].map(async each => {
          await releaseLease(each)
          // A command that wrote nothing leaves nothing behind.
          const rest = await each.client.find(ref, { timeoutMs: callMs })
          if (!rest) await releaseNamespace(each.client, namespace, { timeoutMs: removalMs })
        }),
      )
    }
    const timer = setInterval(() => void renew(held, onWarning), renewMs)
    timer.unref()
    try {
      const answers = await each('taking the lock', async client => {
        const answer = await lockOne(client, holder)
        if ('lease' in answer) held.set(client, answer)
        return answer
      })
      if (isMost(held.size, clients.length)) return release
      throw inUse(
        cluster,
        answers.map(({ value }) => value).find(value => 'holder' in value),
      )
    } catch (error) {
      await release()
      throw error
    }
  }

  async function lockOne(client: KubeClient, holder: string): Promise<Held | Taken> {
    const terms = { client, namespace, name, labels: owner, holder }
    try {
      return await takeLease(terms)
    } catch (error) {
      if (!isNotFound(error)) throw error
      await ensureNamespace(client, namespace, { signal, timeoutMs: removalMs })
      return takeLease(terms)
    }
  }
}

async function renew(held: Map<KubeClient, Held>, onWarning: (text: string) => void): Promise<void> {
  await Promise.all(
    [...held].map(async ([client, each]) => {
      try {
        held.set(client, await renewLease(each))
      } catch (error) {
        if (!isLost(error)) return
        held.delete(client)
        onWarning(`context ${client.context}: the lock was lost to another command`)
      }
    }),
  )
}

function inUse(cluster: string, taken: Taken | undefined): UserError {
  const seconds = Math.ceil((taken?.endsInMs ?? 0) / 1000)
  return new UserError(`etcd ${cluster} is being worked on by ${taken?.holder ?? 'another command'}`, {
    hint: `wait until it is done; if it is gone, its lock ends by itself in ${seconds} s`,
  })
}
