import { dump, loadAll } from 'js-yaml'
import { UserError } from '../errors.ts'
import type { KubeObject } from './types.ts'

/**
 * The objects of a YAML text with any number of documents; a `List` counts as its items, empty documents as nothing.
 * `source` is named in errors. Throws `UserError` for what is not YAML or not a Kubernetes object.
 */
export function parseManifest(text: string, source = 'manifest'): KubeObject[] {
  return documents(text, source)
    .filter(document => document !== null && document !== undefined)
    .flatMap(document => (isList(document) ? document.items : [document]))
    .map((object, index) => {
      if (isObject(object)) return object
      throw new UserError(`${source}: document ${index + 1} has no apiVersion, kind or metadata.name`)
    })
}

/** The objects as documents of one YAML text, each ended by a newline. */
export function toYaml(objects: readonly object[]): string {
  return objects.map(object => dump(object, { noRefs: true, lineWidth: -1 })).join('---\n')
}

function documents(text: string, source: string): unknown[] {
  try {
    return loadAll(text)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new UserError(`${source} is not YAML: ${why}`, { cause: error })
  }
}

function isList(value: unknown): value is { items: unknown[] } {
  const list = value as { kind?: unknown; items?: unknown }
  return typeof list.kind === 'string' && list.kind.endsWith('List') && Array.isArray(list.items)
}

function isObject(value: unknown): value is KubeObject {
  const object = value as Partial<KubeObject> | null
  return Boolean(object?.apiVersion && object.kind && object.metadata?.name)
}
