import { isDeepStrictEqual } from 'node:util'
import { UserError } from '../../errors.ts'
import { inParallel } from '../../in-parallel.ts'
import { isNotFound } from '../../kube/errors.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Progress } from '../../steps/step.ts'
import { cleanNodes, notClean, untilNoAgents } from '../clean.ts'
import { type Stage, stageLabel } from '../names.ts'
import { selectionOf } from '../objects.ts'
import { agentPods } from '../reports.ts'
import type { Installation, VipWorld } from '../world.ts'
import { type NodeFacts, readFacts } from './facts.ts'
import { few } from './objections.ts'
import type { UpJob } from './steps.ts'

/** Nodes at the same time: one small request each. */
const atOnce = 20

/**
 * Which node gets it when. A label keeps the agents from a node, so that their DaemonSet is the same from the first node to the last,
 * nobody restarts because of the next batch, and who goes on after an interruption sees how far it has come.
 */
export interface Stages {
  /** Those that have it, or get it first, and are Ready. */
  open: string[]
  /** Of a new installation, or where all nodes are new: in `open`, and the only one there. */
  first?: string
  /** Those whose turn comes later, in this order; not all are Ready. */
  later: string[]
  /** Those that lose their label as soon as the DaemonSet is the new one: they are to get no agent of the old one. */
  labelled: string[]
  leaving: NodeFacts[]
}

/** `has`: nodes with an agent; undefined: nothing has changed since the last run, and its labels are right. Pure. Throws `UserError`. */
export function planStages(
  nodes: readonly NodeFacts[],
  has: ReadonlySet<string> | undefined,
): Pick<Stages, 'open' | 'first' | 'later'> {
  const waits = ({ name, stage }: NodeFacts) => stage === 'leaving' || (has ? !has.has(name) : stage === 'later')
  const later = nodes.filter(waits).toSorted((a, b) => a.name.localeCompare(b.name))
  const open = nodes.filter(node => !waits(node) && node.ready)
  const first = open.length === 0 ? chooseFirst(later) : undefined
  if (open.length === 0 && !first) throw new UserError('no node is Ready', { hint: 'kubectl get nodes' })
  return {
    ...(first && { first: first.name }),
    open: (first ? [first] : open).map(({ name }) => name),
    later: later.filter(node => node !== first).map(({ name }) => name),
  }
}

/** One that is ready, and no machine of an API server if there is another. Pure. */
export function chooseFirst(nodes: readonly NodeFacts[]): NodeFacts | undefined {
  const ready = nodes.filter(node => node.ready).toSorted((a, b) => a.name.localeCompare(b.name))
  return ready.find(({ controlPlane }) => !controlPlane) ?? ready[0]
}

/** A tenth of all, as an update does. Pure. */
export const batchSize = (nodes: number): number => Math.max(2, Math.ceil(nodes / 10))

/** Labels nodes before the DaemonSet comes to them, or stops being for them. */
export async function beginStages(world: VipWorld, { facts, found, asked }: UpJob): Promise<Stages> {
  const { client, signal } = world
  const nodes = facts?.nodes ?? []
  const before = found?.daemonSet && selectionOf(found.daemonSet)
  const changed = !isDeepStrictEqual(before, [...asked.nodes])
  const stages = planStages(nodes, changed ? await nodesWithAgents(client, signal) : undefined)
  const leaving = [...(facts?.leaving ?? [])]
  if (before && changed) {
    const wanted = new Set([...nodes, ...leaving].map(({ name }) => name))
    const others = (await readFacts(client, before, { signal })).nodes.filter(({ name }) => !wanted.has(name))
    // Nobody can look at one that is not Ready; where its turn had not come there is nothing to look for.
    const [never, had] = [true, false].map(is => others.filter(each => (each.stage === 'later' && !each.ready) === is))
    leaving.push(...(had ?? []))
    await setStage(
      client,
      nodesTo(never ?? [], undefined, () => true),
      undefined,
      signal,
    )
  }
  const later = new Set(stages.later)
  await setStage(
    client,
    nodesTo(nodes, 'later', node => later.has(node.name)),
    'later',
    signal,
  )
  await setStage(
    client,
    nodesTo(leaving, 'leaving', () => true),
    'leaving',
    signal,
  )
  const labelled = nodesTo(nodes, undefined, node => !later.has(node.name))
  return { ...stages, leaving, labelled }
}

const nodesTo = (
  nodes: readonly NodeFacts[],
  stage: Stage | undefined,
  which: (node: NodeFacts) => boolean,
): string[] => nodes.filter(node => which(node) && node.stage !== stage).map(({ name }) => name)

async function nodesWithAgents(client: KubeClient, signal: AbortSignal): Promise<Set<string>> {
  const pods = await agentPods(client, signal)
  return new Set([...pods].filter(([, { metadata }]) => !metadata.deletionTimestamp).map(([node]) => node))
}

/** A node that is gone meanwhile needs none. */
export const setStage = (
  client: KubeClient,
  nodes: readonly string[],
  stage: Stage | undefined,
  signal: AbortSignal,
): Promise<void> =>
  inParallel(nodes, atOnce, async name => {
    const patch = { metadata: { labels: { [stageLabel]: stage ?? null } } }
    await client.mergePatch({ apiVersion: 'v1', kind: 'Node', name }, patch, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  })

/** Nodes that are not Ready get it with the last batch: nobody can wait for them. Rejects with what `ready` says of a batch. */
export async function inBatches(
  { client, signal }: VipWorld,
  nodes: readonly NodeFacts[],
  later: readonly string[],
  ready: (batch: string[]) => Promise<unknown>,
  progress: Progress,
): Promise<void> {
  const isReady = new Set(nodes.filter(node => node.ready).map(({ name }) => name))
  const waiting = later.filter(name => isReady.has(name))
  const size = batchSize(nodes.length)
  for (let at = 0; at < waiting.length; at += size) {
    const batch = waiting.slice(at, at + size)
    progress(`${nodes.length - waiting.length + at} of ${nodes.length} nodes; now ${few(batch, 3)}`)
    await setStage(client, batch, undefined, signal)
    await ready(batch)
  }
  await setStage(
    client,
    later.filter(name => !isReady.has(name)),
    undefined,
    signal,
  )
}

/** Makes nodes that are not chosen any more as they were before. Answers what to say of it. Throws `UserError` where something is left. */
export async function takeOff(
  world: VipWorld,
  wanted: Pick<Installation, 'settings' | 'asked'>,
  leaving: readonly NodeFacts[],
  progress: Progress,
): Promise<string> {
  if (leaving.length === 0) return ''
  const { client, signal, force } = world
  const ready = leaving.filter(node => node.ready).map(({ name }) => name)
  const ours = new Set(ready)
  await untilNoAgents(world, node => ours.has(node), progress)
  const failures = await cleanNodes(world, wanted, ready, progress)
  const away = leaving.filter(node => !node.ready).map(({ name }) => `${name}: it is not Ready`)
  const left = [...failures, ...away]
  const done = force ? leaving : leaving.filter(({ name }) => !left.some(text => text.startsWith(`${name}: `)))
  await setStage(
    client,
    done.map(({ name }) => name),
    undefined,
    signal,
  )
  if (left.length > 0 && !force) throw notClean(left)
  return left.length > 0
    ? `left as they are: ${few(left)}`
    : `nothing is left on ${few(leaving.map(({ name }) => name))}`
}
