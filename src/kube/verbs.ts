import { isNotFound } from './errors.ts'
import { resourcePath } from './resources.ts'
import type { Session } from './session.ts'
import type { CallOptions, JsonPatchOperation, KubeObject, ObjectRef, WriteOptions } from './types.ts'

export const fieldManager = 'kubectl-karmada-net'

/** Names an object that one has in hand. */
export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace }
}

/** The URL path of one object. */
export async function objectPath(session: Session, ref: ObjectRef, options?: CallOptions): Promise<string> {
  return resourcePath(ref.apiVersion, await session.resource(ref.apiVersion, ref.kind, options), ref)
}

export async function getObject<T extends KubeObject>(
  session: Session,
  ref: ObjectRef,
  options?: CallOptions,
): Promise<T> {
  return (await session.json<T>({ method: 'GET', path: await objectPath(session, ref, options) }, options)).body
}

export async function findObject<T extends KubeObject>(
  session: Session,
  ref: ObjectRef,
  options?: CallOptions,
): Promise<T | undefined> {
  try {
    return await getObject<T>(session, ref, options)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

export async function createObject<T extends KubeObject>(
  session: Session,
  object: T,
  options?: WriteOptions,
): Promise<T> {
  const { apiVersion, kind, metadata } = object
  const resource = await session.resource(apiVersion, kind, options)
  if (resource.namespaced && !metadata?.namespace) throw new Error(`${kind} "${metadata?.name}" needs a namespace`)
  const path = resourcePath(apiVersion, resource, { namespace: metadata?.namespace })
  const request = {
    method: 'POST',
    path,
    query: { fieldManager, ...dryRun(options) },
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(object),
  }
  return (await session.json<T>(request, options)).body
}

/** Sends a patch of the given kind (`json-patch+json`, `merge-patch+json`). */
export async function patchObject<T extends KubeObject>(
  session: Session,
  ref: ObjectRef,
  patch: JsonPatchOperation[] | object,
  options?: WriteOptions,
): Promise<T> {
  const type = Array.isArray(patch) ? 'json-patch+json' : 'merge-patch+json'
  const request = {
    method: 'PATCH',
    path: await objectPath(session, ref, options),
    query: { fieldManager, ...dryRun(options) },
    headers: { 'Content-Type': `application/${type}` },
    body: JSON.stringify(patch),
  }
  return (await session.json<T>(request, options)).body
}

export async function deleteObject(session: Session, ref: ObjectRef, options?: WriteOptions): Promise<boolean> {
  try {
    const request = {
      method: 'DELETE',
      path: await objectPath(session, ref, options),
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(deleteOptions(options)),
    }
    await session.json(request, options)
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** A server that is given a body reads its options from there alone: `dryRun` in the query would delete. */
const deleteOptions = (options: WriteOptions | undefined) => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  propagationPolicy: 'Background',
  ...(options?.dryRun && { dryRun: ['All'] }),
})

export function dryRun(options: WriteOptions | undefined): { dryRun?: string } {
  return options?.dryRun ? { dryRun: 'All' } : {}
}
