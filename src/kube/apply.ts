import { isDeepStrictEqual } from 'node:util'
import type { Session } from './session.ts'
import type { ApplyOptions, ApplyOutcome, KubeObject } from './types.ts'
import { dryRun, fieldManager, findObject, objectPath, refOf } from './verbs.ts'

/**
 * Server-side apply. The object as it was is read first, so that the outcome can be told.
 * Throws `StatusError` 409 naming field and manager where another manager owns a field and `force` is not set.
 */
export async function applyObject<T extends KubeObject>(
  session: Session,
  object: T,
  options: ApplyOptions = {},
): Promise<{ object: T; outcome: ApplyOutcome }> {
  const before = await findObject<T>(session, refOf(object), options)
  const request = {
    method: 'PATCH',
    path: await objectPath(session, refOf(object), options),
    query: { fieldManager, force: String(options.force ?? false), ...dryRun(options) },
    headers: { 'Content-Type': 'application/apply-patch+yaml' },
    body: JSON.stringify(desired(object, options.resourceVersion)),
    // The same intent applied twice is applied once.
    idempotent: true,
  }
  const { body, status } = await session.json<T>(request, options)
  return { object: body, outcome: outcomeOf(before, body, status) }
}

/** What to send: JSON drops `undefined`; what only servers write is left out. */
function desired(object: KubeObject, resourceVersion: string | undefined): object {
  const {
    managedFields: _fields,
    creationTimestamp: _born,
    resourceVersion: _version,
    uid: _uid,
    ...metadata
  } = object.metadata
  return { ...object, metadata: { ...metadata, resourceVersion } }
}

/**
 * By content and not by resourceVersion alone: a controller may have written the status between the two requests,
 * and the answer to a dry run carries the old version whatever it changed.
 */
function outcomeOf(before: KubeObject | undefined, after: KubeObject, status: number): ApplyOutcome {
  if (!before || status === 201) return 'created'
  return isDeepStrictEqual(content(before), content(after)) ? 'unchanged' : 'configured'
}

/** The object without the server's bookkeeping and what controllers report. */
function content(object: KubeObject): object {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...metadata } = object.metadata
  return { ...object, metadata, status: undefined }
}
