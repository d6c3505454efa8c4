import { isGone } from './errors.ts'
import { resourcePath } from './resources.ts'
import type { Session } from './session.ts'
import type { CallOptions, KubeObject, ListRef } from './types.ts'

const pageSize = '500'

export interface Listed<T> {
  items: T[]
  /** Where a watch of the same collection begins. */
  resourceVersion: string
}

interface ListAnswer<T> {
  items?: T[] | null
  metadata?: { resourceVersion?: string; continue?: string }
}

/** The URL path of a collection and the query that selects in it. */
export async function collection(session: Session, ref: ListRef, options?: CallOptions) {
  const resource = await session.resource(ref.apiVersion, ref.kind, options)
  return {
    path: resourcePath(ref.apiVersion, resource, { namespace: ref.namespace }),
    query: { labelSelector: ref.labelSelector || undefined, fieldSelector: ref.fieldSelector || undefined },
  }
}

/** All pages. When the pages expire half way, once more from the start in one piece. */
export async function listObjects<T extends KubeObject>(
  session: Session,
  ref: ListRef,
  options?: CallOptions,
): Promise<Listed<T>> {
  const { path, query } = await collection(session, ref, options)
  const page = async (limit: string | undefined, next: string | undefined) =>
    (await session.json<ListAnswer<T>>({ method: 'GET', path, query: { ...query, limit, continue: next } }, options))
      .body
  const items: T[] = []
  let answer = await page(pageSize, undefined)
  items.push(...(answer.items ?? []))
  while (answer.metadata?.continue) {
    try {
      answer = await page(pageSize, answer.metadata.continue)
      items.push(...(answer.items ?? []))
    } catch (error) {
      if (!isGone(error)) throw error
      answer = await page(undefined, undefined)
      items.splice(0, items.length, ...(answer.items ?? []))
    }
  }
  return { items: items.map(item => named(item, ref)), resourceVersion: answer.metadata?.resourceVersion ?? '' }
}

/** Items of a typed list do not say what they are. */
function named<T extends KubeObject>(item: T, { apiVersion, kind }: ListRef): T {
  return { ...item, apiVersion: item.apiVersion ?? apiVersion, kind: item.kind ?? kind }
}
