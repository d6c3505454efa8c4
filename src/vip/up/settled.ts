import { pause } from '../../kube/pause.ts'
import type { Progress } from '../../steps/step.ts'
import type { NodeRequirement } from '../selector.ts'
import type { VipWorld } from '../world.ts'
import { type ClusterFacts, type NodeFacts, readFacts } from './facts.ts'
import { few } from './objections.ts'

/** Nodes are not Ready for a moment when their kubelet restarts, and when controllers' API server does. Milliseconds. */
const momentMs = 60_000
const everyMs = 1000

/** As `readFacts`, once the nodes are Ready; those that have not been for a minute are not waited for. */
export async function settledFacts(
  { client, signal }: Pick<VipWorld, 'client' | 'signal'>,
  requirements: readonly NodeRequirement[],
  progress: Progress,
): Promise<ClusterFacts> {
  // The cluster's clock may be another than ours.
  const end = performance.now() + momentMs
  for (;;) {
    const facts = await readFacts(client, requirements, { signal })
    const unsettled = facts.nodes.filter(node => isUnsettled(node, Date.now()))
    if (unsettled.length === 0 || performance.now() > end) return facts
    progress(`${few(unsettled.map(({ name }) => name))} not Ready yet`)
    await pause(everyMs, signal)
  }
}

/** Pure. */
export const isUnsettled = ({ ready, readySinceMs }: NodeFacts, nowMs: number): boolean =>
  !ready && readySinceMs !== undefined && nowMs - readySinceMs < momentMs
