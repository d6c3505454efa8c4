import { UserError } from '../errors.ts'
import { parseAnswer, statusError } from '../kube/answers.ts'
import { ConnectionError } from '../kube/errors.ts'
import type { CallOptions, KubeClient, KubeObject } from '../kube/types.ts'
import { type Asker, createAsker } from './ask.ts'
import type { Target } from './contexts.ts'
import { createLimit } from './limit.ts'
import { type Groups, installationsOf, isPlane } from './probe-host.ts'
import { planeFacts } from './probe-plane.ts'
import type { Probe } from './types.ts'

export interface ProbeOptions {
  /** Contexts at a time. Default 16. */
  concurrency?: number | undefined
  /** Milliseconds for one context, all its requests together. Default 5000. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
  /** Called as each context is done. */
  onProbe?: ((probe: Probe) => void) | undefined
}

/**
 * Reads every context at once, each within its time. What cannot be reached or read is said in its probe.
 * Rejects only with the signal's reason.
 */
export async function probeContexts(
  targets: Target[],
  clientOf: (context: string) => KubeClient,
  { concurrency = 16, timeoutMs = 5000, signal, onProbe }: ProbeOptions = {},
): Promise<Probe[]> {
  const limit = createLimit(concurrency)
  const shared = new Map<string, Promise<Probe>>()
  return Promise.all(
    targets.map(async ({ context, key, server }) => {
      const first = shared.get(key) ?? limit(() => probeContext(context, server, clientOf, timeoutMs, signal))
      shared.set(key, first)
      const probe = { ...(await first), context }
      onProbe?.(probe)
      return probe
    }),
  )
}

async function probeContext(
  context: string,
  server: string,
  clientOf: (context: string) => KubeClient,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Probe> {
  signal?.throwIfAborted()
  const budget = new AbortController()
  const timer = setTimeout(() => budget.abort(outOfTime(context, server, timeoutMs)), timeoutMs)
  try {
    const asker = createAsker(
      timeoutMs,
      AbortSignal.any(signal === undefined ? [budget.signal] : [budget.signal, signal]),
    )
    const found = await read(clientOf(context), asker)
    signal?.throwIfAborted()
    const reached = asker.outcome()
    // A plane's pods would say nothing, whoever may list them.
    const gaps = reached.gaps.filter(({ piece }) => piece !== 'pods' || found.plane === undefined)
    return { context, server, ...(reached.access === 'ok' ? found : { installations: [] }), ...reached, gaps }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { context, server, access: 'error', note: error.message, gaps: [], installations: [] }
  } finally {
    clearTimeout(timer)
  }
}

function outOfTime(context: string, server: string, timeoutMs: number): ConnectionError {
  const detail = `dial ${URL.parse(server)?.host ?? server}: no answer in ${timeoutMs / 1000}s`
  return new ConnectionError('timeout', detail, { context, server, method: 'GET', path: '/' })
}

type Found = Pick<Probe, 'kubernetesVersion' | 'uid' | 'plane' | 'installations'>

/** Its groups and pods tell what to ask a cluster next: after the TLS handshake two round trips, where all goes side by side. */
async function read(client: KubeClient, asker: Asker): Promise<Found> {
  let names: Set<string> | undefined
  const answered = asker.ask('details', 'list the API groups', async options => {
    names = apiGroups(await json(client, '/apis', options))
  })
  const groups: Groups = { answered, has: name => names?.has(name) ?? false }
  const [plane, installations, version, kubeSystem] = await Promise.all([
    answered.then(() => (isPlane(groups) ? planeFacts(client, asker) : undefined)),
    installationsOf(client, asker, groups),
    asker.ask('version', 'read the version', options => json(client, '/version', options)),
    asker.ask('namespace', 'read namespace kube-system', options =>
      client.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }, options),
    ),
  ])
  return { plane, installations, kubernetesVersion: text(version?.['gitVersion']), uid: kubeSystem?.metadata.uid }
}

type Json = Record<string, unknown>

async function json(client: KubeClient, path: string, options: CallOptions): Promise<Json> {
  const { status, text } = await client.raw(path, options)
  const request = { context: client.context, server: client.server, method: 'GET', path }
  if (status >= 400) throw statusError(status, text, request)
  return parseAnswer<Json>(status, text, request)
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function apiGroups(list: Json): Set<string> {
  const groups = Array.isArray(list['groups']) ? (list['groups'] as { name?: unknown }[]) : []
  return new Set(groups.flatMap(({ name }) => text(name) ?? []))
}
