import type { KubeObject } from '../../kube/types.ts'

export interface StoreSecret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

const revisionAnnotation = 'karmada-net.io/revision'

/** What one cluster remembers. */
export interface Copy {
  /** 0: nothing. */
  revision: number
  files: Record<string, string>
}

/** A Secret's keys have no slash. */
const slash = '__'

export const keyOf = (path: string): string => {
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(path) || path.includes(slash)) throw new Error(`"${path}" is no path of a store`)
  return path.replaceAll('/', slash)
}

const pathOf = (key: string): string => key.replaceAll(slash, '/')

export function copyOf(secret: StoreSecret | undefined): Copy {
  if (!secret) return { revision: 0, files: {} }
  const revision = Number(secret.metadata.annotations?.[revisionAnnotation]) || 1
  const files = Object.entries(secret.data ?? {}).map(([key, value]) => [
    pathOf(key),
    Buffer.from(value, 'base64').toString(),
  ])
  return { revision, files: Object.fromEntries(files) }
}

export function secretOf(
  { namespace, name, labels }: { namespace: string; name: string; labels: Record<string, string> },
  { revision, files }: Copy,
): StoreSecret {
  const data = Object.entries(files).map(([path, text]) => [keyOf(path), Buffer.from(text).toString('base64')])
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels, annotations: { [revisionAnnotation]: String(revision) } },
    type: 'Opaque',
    data: Object.fromEntries(data),
  }
}

/** The one that counts. Pure. */
export const newest = (copies: Copy[]): Copy =>
  copies.reduce((best, copy) => (copy.revision > best.revision ? copy : best), { revision: 0, files: {} })

/** `undefined` removes a file. Pure. */
export function changed({ revision, files }: Copy, change: Record<string, string | undefined>): Copy {
  const next = Object.entries({ ...files, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { revision: revision + 1, files: Object.fromEntries(next) }
}

/** More than half: two that write always meet in one. */
export const isMost = (count: number, all: number): boolean => count > all / 2
