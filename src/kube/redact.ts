import type { KubeObject } from './types.ts'

type Texts = Record<string, string>

/** The object as it may be shown: a Secret's values become `***` and their length in bytes; everything else is left as it is. */
export function redact<T extends KubeObject>(object: T): T {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object
  const { data, stringData } = object as { data?: Texts; stringData?: Texts }
  return {
    ...object,
    ...(data ? { data: masked(data, text => Buffer.from(text, 'base64').length) } : {}),
    ...(stringData ? { stringData: masked(stringData, text => Buffer.byteLength(text)) } : {}),
    metadata: withoutLastApplied(object.metadata),
  }
}

function masked(values: Texts, bytes: (text: string) => number): Texts {
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, `*** (${bytes(text)} bytes)`]))
}

/** `kubectl apply` keeps a copy of the whole Secret in this annotation. */
function withoutLastApplied(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
  if (!metadata.annotations?.[annotation]) return metadata
  return { ...metadata, annotations: { ...metadata.annotations, [annotation]: '***' } }
}
