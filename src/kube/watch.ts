import { parseAnswer, statusError } from './answers.ts'
import { isGone, isTransient, type Status, StatusError } from './errors.ts'
import { collection, listObjects } from './list.ts'
import { pause } from './pause.ts'
import type { Session } from './session.ts'
import type { KubeObject, ListRef, WatchEvent } from './types.ts'

/** The server ends a watch after this time; each one a little different, so that many do not end together. Seconds. */
const watchSeconds = () => 240 + Math.floor(Math.random() * 60)
/** A watch that is silent this much longer than that has lost its server. */
const graceMs = 15_000
/** Pauses before the next connection, doubling from the first to the last; a watch of this length starts them anew. Milliseconds. */
const firstPauseMs = 200
const lastPauseMs = 10_000
const goodWatchMs = 5_000

interface Event<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  object: T
}

interface ErrorEvent {
  type: 'ERROR'
  object: Status
}

/**
 * The collection as it is, then every change, over dropped connections and server restarts.
 * Throws what the server answers for good (403, 404 ...), and the signal's reason.
 */
export async function* watchObjects<T extends KubeObject>(
  session: Session,
  ref: ListRef,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncIterable<WatchEvent<T>> {
  let version = ''
  let listed = false
  let pauseMs = 0
  for (;;) {
    const startedMs = performance.now()
    try {
      if (!version) {
        const list = await listObjects<T>(session, ref, { signal })
        version = list.resourceVersion
        listed = true
        yield { type: 'SYNC', items: list.items }
      }
      for await (const { type, object } of oneWatch<T>(session, ref, version, signal)) {
        pauseMs = 0
        version = object.metadata.resourceVersion ?? version
        if (type !== 'BOOKMARK') yield { type, object }
      }
    } catch (error) {
      signal?.throwIfAborted()
      // The very first failure is the caller's to judge; later ones are an interruption.
      if (isGone(error)) version = ''
      else if (!listed || !isTransient(error)) throw error
    }
    if (performance.now() - startedMs > goodWatchMs) pauseMs = 0
    pauseMs = Math.min(pauseMs * 2 || firstPauseMs, lastPauseMs)
    await pause(pauseMs, signal)
  }
}

/** The events of one connection, until either side ends it. Throws `StatusError` for an ERROR event, as 410 often comes. */
async function* oneWatch<T extends KubeObject>(
  session: Session,
  ref: ListRef,
  version: string,
  signal: AbortSignal | undefined,
): AsyncIterable<Event<T>> {
  const { path, query } = await collection(session, ref, { signal })
  const seconds = watchSeconds()
  const request = {
    method: 'GET',
    path,
    query: {
      ...query,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds: `${seconds}`,
    },
  }
  const overdue = AbortSignal.timeout(seconds * 1000 + graceMs)
  try {
    const answer = await session.call(request, { signal: signal ? AbortSignal.any([signal, overdue]) : overdue })
    const info = session.info('GET', path)
    if (answer.status >= 400) throw statusError(answer.status, await answer.text(), info)
    for await (const line of lines(answer.chunks())) {
      const event = parseAnswer<Event<T> | ErrorEvent>(answer.status, line, info)
      if (event.type === 'ERROR') throw new StatusError(event.object, info)
      yield event
    }
  } catch (error) {
    if (!overdue.aborted || signal?.aborted) throw error
  }
}

/** Whole lines; what is left when the connection ends was cut off. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n')
    parts[0] = rest + parts[0]
    rest = parts.pop() ?? ''
    for (const line of parts) if (line !== '') yield line
  }
}
