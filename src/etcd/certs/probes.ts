import { UserError } from '../../errors.ts'
import { pause } from '../../kube/pause.ts'
import type { KeyPair } from '../../pki/certificate.ts'
import type { Progress } from '../../steps/step.ts'
import { issueClient, trustedBy } from '../certificates.ts'
import { UnreachableError } from '../client/errors.ts'
import { createEtcdClient } from '../client/gateway.ts'
import { clientUrl, type MemberSpec } from '../cluster.ts'
import type { EtcdWorld } from '../world.ts'

const probeDays = 1
/** A member that somebody restarts by hand takes its time; one of ours has been waited for already. Milliseconds. */
const everyMs = 1000
const patienceMs = 10_000

/** Every member lets a client in that this authority has issued. Throws UserError naming who does not. */
export const requireAccepted = (world: EtcdWorld, authority: KeyPair, progress: Progress): Promise<void> =>
  requireEach(world, authority, progress, { lets: true, otherwise: 'does not trust the new authority yet' })

/** No member lets a client in that this authority has issued. Throws UserError naming who does. */
export const requireRefused = (world: EtcdWorld, authority: KeyPair, progress: Progress): Promise<void> =>
  requireEach(world, authority, progress, { lets: false, otherwise: 'still trusts the old authority' })

async function requireEach(
  world: EtcdWorld,
  authority: KeyPair,
  progress: Progress,
  { lets, otherwise }: { lets: boolean; otherwise: string },
): Promise<void> {
  for (const member of world.state.spec.members) {
    const began = performance.now()
    for (;;) {
      if ((await letsIn(world, member, authority)) === lets) break
      progress(`${member.name} ${otherwise}`)
      if (performance.now() - began > Math.min(patienceMs, world.timeoutMs)) {
        throw new UserError(`${member.name} ${otherwise}`, {
          hint: `restart etcd on ${world.driverOf(member).where}, then run the same command again`,
        })
      }
      await pause(everyMs, world.signal)
    }
  }
}

/** Does this member accept a client of this authority? Asked with a certificate made for it. Undefined: it does not answer. */
export async function letsIn(world: EtcdWorld, member: MemberSpec, authority: KeyPair): Promise<boolean | undefined> {
  const { spec } = world.state
  const ca = (await trustedBy(world.store)) ?? authority.certificate
  const identity = async () => ({ ca, ...issueClient(authority, 'karmada-net probe', spec.keyType, probeDays) })
  const client = createEtcdClient(clientUrl(member, spec), identity, { signal: world.signal })
  try {
    await client.versions()
    return true
  } catch (error) {
    world.signal.throwIfAborted()
    if (error instanceof UnreachableError) return error.failure === 'tls' ? false : undefined
    throw error
  } finally {
    client.close()
  }
}
