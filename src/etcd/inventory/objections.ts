import { type ClusterSpec, type MemberSpec, quorumOf } from '../cluster.ts'

/**
 * What is possible but unwise, each as one sentence with its arithmetic: `etcd up` wants --force for it. Pure.
 */
export function objections({ members }: Pick<ClusterSpec, 'members'>): string[] {
  return [...evenCount(members.length), ...sites(members)]
}

function evenCount(count: number): string[] {
  if (count % 2 === 1 || count === 0) return []
  const survives = count - quorumOf(count)
  const fewer = count - 1
  const text =
    survives === 0
      ? `${count} members need ${quorumOf(count)} for a write, so the loss of either stops all writes: no better than 1 member, with twice as much to fail`
      : `${count} members need ${quorumOf(count)} for a write, so they survive the loss of ${survives}, no more than ${fewer} members do, with one more to fail`
  return [`${text}; take ${fewer} or ${count + 1}`]
}

function sites(members: MemberSpec[]): string[] {
  const count = members.length
  const survives = count - quorumOf(count)
  // Without a member to spare the count is what is wrong, not where they are.
  if (survives === 0) return []
  const bySite = Map.groupBy(members, ({ site }) => site)
  return [...bySite]
    .filter(([, inside]) => inside.length > survives)
    .map(([site, inside]) => {
      const left = count - inside.length
      const needed = quorumOf(count)
      if (left === 0)
        return `all ${count} members are in site ${site}: its loss is the loss of the cluster; spread them over three sites`
      const advice =
        bySite.size === 2
          ? 'with two sites one of them always holds too many: put one member into a third site'
          : `have at most ${survives} in one site`
      return `site ${site} has ${inside.length} of ${count} members: without it ${left} ${left === 1 ? 'is' : 'are'} left, and a write needs ${needed}; ${advice}`
    })
}
