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

/** The objects of one of our manifests with names filled in; words are replaced in parsed strings, so the YAML stays sound. */
export function fillManifest(text: string, words: Record<string, string>): KubeObject[] {
  const pattern = new RegExp(
    Object.keys(words)
      .map(word => `\\b${word.replace('.', '\\.')}\\b`)
      .join('|'),
    'g',
  )
  const given = new Map(Object.entries(words))
  const fill = (text: string) => text.replace(pattern, word => given.get(word) ?? word)
  return parseManifest(text).map(object => mapStrings(object, fill))
}

function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T
  if (Array.isArray(value)) return value.map(item => mapStrings(item, change)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)])) as T
}

/** The one object of a kind; a manifest without it is a bug. */
export function pick<T extends KubeObject>(objects: KubeObject[], kind: string, name?: string): T {
  const found = objects.find(object => object.kind === kind && (name === undefined || object.metadata.name === name))
  if (!found) throw new Error(`manifest has no ${kind} ${name ?? ''}`)
  return found as T
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
