import { UserError } from '../errors.ts'
import { isNotFound, isTransient } from './errors.ts'
import { pause } from './pause.ts'
import type { KubeClient, KubeObject, ListRef, ObjectRef } from './types.ts'

export { podTrouble } from './pod-trouble.ts'
export { rolledOut } from './rollout.ts'

export interface WaitOptions {
  /** Milliseconds. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Gets what is missing, whenever that changes. */
  onProgress?: ((text: string) => void) | undefined
}

/** Between two looks when there is nothing to watch: the server is away, or the kind is not there yet. Milliseconds. */
const retryMs = 1000

/**
 * Waits until `check` says true of an object (undefined: it is not there), else what is missing; resolves with the object.
 * Outlives dropped connections and restarts of the server. `check` may throw to give up early.
 * Throws `UserError` with the last answer of `check` when the time is over, the signal's reason, or what the server says for good.
 */
export async function waitFor<T extends KubeObject>(
  client: KubeClient,
  ref: ObjectRef,
  check: (object: T | undefined) => true | string,
  options: WaitOptions,
): Promise<T> {
  const [object] = await waitForObject(client, ref, check, options)
  if (!object) throw new Error(`the check for ${nameOf(ref)} is satisfied without it; waitForGone is for that`)
  return object
}

/** As `waitFor`, until the object is not there (any more). */
export async function waitForGone(client: KubeClient, ref: ObjectRef, options: WaitOptions): Promise<void> {
  await waitForObject(client, ref, object => (object ? `${nameOf(ref)} is still there` : true), options)
}

/** As `waitFor`, for a collection: `check` sees all of its objects. */
export async function waitForList<T extends KubeObject>(
  client: KubeClient,
  ref: ListRef,
  check: (objects: T[]) => true | string,
  options: WaitOptions,
): Promise<T[]> {
  const selected = ref.labelSelector ? ` with ${ref.labelSelector}` : ''
  return until(client, ref, check, `${ref.kind} objects${selected}`, options)
}

function waitForObject<T extends KubeObject>(
  client: KubeClient,
  ref: ObjectRef,
  check: (object: T | undefined) => true | string,
  options: WaitOptions,
): Promise<T[]> {
  const { apiVersion, kind, namespace, name } = ref
  const one = { apiVersion, kind, namespace, fieldSelector: `metadata.name=${name}` }
  return until<T>(client, one, ([object]) => check(object), nameOf(ref), options)
}

async function until<T extends KubeObject>(
  client: KubeClient,
  ref: ListRef,
  check: (objects: T[]) => true | string,
  what: string,
  options: WaitOptions,
): Promise<T[]> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal
  let reason = `nothing known of ${what} yet`
  const tell = (text: string) => {
    if (text === reason) return
    reason = text
    options.onProgress?.(text)
  }
  try {
    for (;;) {
      const found = await watchUntil(client, ref, check, tell, signal)
      if (found) return found
      await pause(retryMs, signal)
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!deadline.signal.aborted) throw error
    throw new UserError(`timed out after ${duration(options.timeoutMs)} waiting for ${what}: ${reason}`)
  } finally {
    clearTimeout(timer)
  }
}

/** One watch: the objects as soon as `check` is content with them, undefined when it is worth another try later. */
async function watchUntil<T extends KubeObject>(
  client: KubeClient,
  ref: ListRef,
  check: (objects: T[]) => true | string,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<T[] | undefined> {
  let objects = new Map<string, T>()
  const content = () => {
    const answer = check([...objects.values()])
    if (answer !== true) tell(answer)
    return answer === true
  }
  try {
    for await (const event of client.watch<T>(ref, { signal })) {
      if (event.type === 'SYNC') objects = new Map(event.items.map(item => [keyOf(item), item]))
      else if (event.type === 'DELETED') objects.delete(keyOf(event.object))
      else objects.set(keyOf(event.object), event.object)
      if (content()) return [...objects.values()]
    }
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    if (isNotFound(error)) {
      // The kind is not served (yet): there can be no such object.
      objects.clear()
      return content() ? [] : undefined
    }
    if (!isTransient(error)) throw error
    tell(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`

function nameOf({ kind, namespace, name }: ObjectRef): string {
  return namespace ? `${kind} ${namespace}/${name}` : `${kind} ${name}`
}

/** 90000 -> `1m30s`. */
function duration(ms: number): string {
  const seconds = ms / 1000
  const rest = seconds % 60
  if (seconds < 60) return `${seconds}s`
  return `${Math.floor(seconds / 60)}m${rest ? `${rest}s` : ''}`
}
