import { UserError } from '../../errors.ts'
import type { EtcdClient } from '../client/types.ts'
import { lookAt } from '../view.ts'
import type { EtcdWorld } from '../world.ts'
import { type KeyGroup, type Owner, ownersOf, sizedGroups } from './owners.ts'
import { type PrefixVerdict, prefixVerdict } from './prefix-verdict.ts'
import { lookAtPrefix, sampleSizes, tallyKeys } from './read.ts'

export interface FoundKeys {
  /** Of all keys: what was counted is what was there at this one moment. */
  revision: bigint
  groups: KeyGroup[]
  owners: Owner[]
}

/** All keys, or those below a prefix. `progress` gets the number so far, and -1 at the end. Throws UserError when nobody answers. */
export async function readKeys(
  world: EtcdWorld,
  below: string | undefined,
  progress?: (keys: number) => void,
): Promise<FoundKeys> {
  const { client, serializable } = await reader(world)
  const options = { below, serializable, signal: world.signal, timeoutMs: 30_000 }
  try {
    const { tally, revision } = await tallyKeys(client, { ...options, progress })
    const sizes = await sampleSizes(client, tally, { ...options, serializable: true })
    const groups = sizedGroups(tally, sizes)
    return { revision, groups, owners: ownersOf(tally, groups) }
  } finally {
    progress?.(-1)
  }
}

/** The guard rail before a control plane is put on this etcd. */
export async function checkNewPrefix(
  world: EtcdWorld,
  text: string,
): Promise<{ prefix: string; verdict: PrefixVerdict }> {
  const { client } = await reader(world)
  const facts = await lookAtPrefix(client, text, { signal: world.signal })
  return { prefix: facts.prefix, verdict: prefixVerdict(facts) }
}

/** A follower has more time than the leader. Without a quorum any member tells what it has. */
async function reader(world: EtcdWorld): Promise<{ client: EtcdClient; serializable: boolean }> {
  const { members, leader, hasQuorum } = await lookAt(world)
  const answering = members.filter(({ status }) => status && (!hasQuorum || !status.isLearner))
  const chosen = answering.find(member => member !== leader) ?? answering[0]
  if (!chosen) throw new UserError('no member answers', { hint: 'kubectl karmada-net etcd status' })
  return { client: world.clientOf(chosen.spec), serializable: !hasQuorum }
}
