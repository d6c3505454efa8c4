import type { Agent } from 'node:http'
import type { V1ObjectMeta } from '@kubernetes/client-node'

/** A client-node type as it is on the wire: dates are RFC 3339 strings. */
export type Wire<T> = T extends Date ? string : T extends object ? { [K in keyof T]: Wire<T[K]> } : T

export type ObjectMeta = Wire<V1ObjectMeta>

/** What every Kubernetes object has. Typed objects (`Deployment`, `Cluster`, ...) extend it. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta & { name: string }
}

/** Names one object. `namespace` is left out for cluster-scoped kinds. */
export interface ObjectRef {
  apiVersion: string
  kind: string
  name: string
  namespace?: string | undefined
}

/** Names a collection; without `namespace`, over all namespaces. Selectors are Kubernetes' strings (`a=b,c!=d`). */
export interface ListRef {
  apiVersion: string
  kind: string
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
}

/** RFC 6902. A leading `test` of `/metadata/resourceVersion` makes a read-modify-write safe. */
export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }

export type ApplyOutcome = 'created' | 'configured' | 'unchanged'

export interface CallOptions {
  /** Ends the call; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Milliseconds for one try of the request. Default: the client's own (30 s); 0: no limit. */
  timeoutMs?: number | undefined
}

export interface WriteOptions extends CallOptions {
  /** The server validates and answers, and stores nothing. */
  dryRun?: boolean | undefined
}

export interface ApplyOptions extends WriteOptions {
  /** Take over fields that another manager owns; without it such a field is a 409 Conflict naming the manager. */
  force?: boolean | undefined
  /** Only onto the object of this version: makes a read-modify-write safe, with a 409 Conflict for who comes second. */
  resourceVersion?: string | undefined
}

export interface RawRequest extends CallOptions {
  method?: string | undefined
  headers?: Record<string, string> | undefined
  query?: Record<string, string | undefined> | undefined
  body?: string | Uint8Array | undefined
}

export interface RawResponse {
  status: number
  headers: Record<string, string>
  /** The whole body. */
  text: string
}

export interface WebSocketTarget {
  /** `wss://...` */
  url: string
  /** Carries the credentials: not for logs. */
  headers: Record<string, string | string[]>
  agent: Agent
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** The list that a watch begins with, or begins anew with after 410 Gone: `items` is everything there is now. */
  | { type: 'SYNC'; items: T[] }

/**
 * One API server, through one context, over keep-alive connections.
 * Every call throws `StatusError` for a Status answered by the server and `ConnectionError` when there was no answer;
 * 429 and 5xx with Retry-After are tried again before that.
 */
export interface KubeClient {
  /** The kubeconfig context; for a client made by `at`, the same. */
  readonly context: string
  /** The API server's URL, without the path prefix. */
  readonly server: string

  get<T extends KubeObject>(ref: ObjectRef, options?: CallOptions): Promise<T>
  /** As `get`; undefined where the object, or its kind, is not there (404). */
  find<T extends KubeObject>(ref: ObjectRef, options?: CallOptions): Promise<T | undefined>
  /** All pages. */
  list<T extends KubeObject>(ref: ListRef, options?: CallOptions): Promise<T[]>
  create<T extends KubeObject>(object: T, options?: WriteOptions): Promise<T>
  /** Server-side apply with field manager `kubectl-karmada-net`; `unchanged` when the resourceVersion stayed. */
  apply<T extends KubeObject>(object: T, options?: ApplyOptions): Promise<{ object: T; outcome: ApplyOutcome }>
  jsonPatch<T extends KubeObject>(ref: ObjectRef, patch: JsonPatchOperation[], options?: WriteOptions): Promise<T>
  mergePatch<T extends KubeObject>(ref: ObjectRef, patch: object, options?: WriteOptions): Promise<T>
  /** True when there was something to delete. Background propagation. */
  delete(ref: ObjectRef, options?: WriteOptions): Promise<boolean>
  /** Starts with a SYNC event; reconnects with bookmarks; relists after 410. Ends only by `signal`, by the consumer, or by throwing. */
  watch<T extends KubeObject>(
    ref: ListRef,
    options?: { signal?: AbortSignal | undefined },
  ): AsyncIterable<WatchEvent<T>>

  /** Any path below the server (and the prefix); does not throw on a status of 400 and above. */
  raw(path: string, request?: RawRequest): Promise<RawResponse>
  /** As `raw`, but the body comes as it arrives (logs -f). Throws `StatusError` on 400 and above. */
  stream(path: string, request?: RawRequest): Promise<AsyncIterable<Uint8Array>>

  /** What a WebSocket library needs to dial a path (port-forward, exec) with this client's TLS, proxy and credentials. */
  webSocket(path: string): Promise<WebSocketTarget>

  /** The same connection and credentials below a path prefix, as `/apis/cluster.karmada.io/v1alpha1/clusters/NAME/proxy`. */
  at(prefix: string): KubeClient
  /** Closes idle connections. */
  close(): void
}
