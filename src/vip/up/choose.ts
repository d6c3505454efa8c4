import type { NodeFacts } from './facts.ts'

/** The node that a new installation begins with: one that is ready, and no machine of an API server if there is another. Pure. */
export function chooseCanary(nodes: readonly NodeFacts[]): NodeFacts | undefined {
  const ready = nodes.filter(node => node.ready).toSorted((a, b) => a.name.localeCompare(b.name))
  return ready.find(({ controlPlane }) => !controlPlane) ?? ready[0]
}
