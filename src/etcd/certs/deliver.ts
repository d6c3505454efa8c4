import { UserError } from '../../errors.ts'
import { pause } from '../../kube/pause.ts'
import type { Progress } from '../../steps/step.ts'
import { authorityOf, memberFiles, whyDeliver } from '../certificates.ts'
import type { MemberSpec } from '../cluster.ts'
import type { MemberFiles } from '../drivers/driver.ts'
import type { EtcdWorld } from '../world.ts'
import { fingerprintOf } from './guard.ts'
import { leafRoles, portOf, served } from './look.ts'

/** A running etcd reads its files with the next handshake; a mounted Secret may take a while to arrive. Milliseconds. */
const everyMs = 300

export interface RenewOptions {
  /** Is what was delivered to be replaced, though it could stay? */
  force: (delivered: MemberFiles) => boolean
  progress?: Progress | undefined
  /** Wait until it is served; default true. A restart that follows waits anyway. */
  patient?: boolean | undefined
}

/**
 * Gives a member new certificates of the authority that members have now, where `why` or what it has makes it necessary, and waits
 * until both its ports serve them. A member that does not run gets its files and is not waited for. Answers what was done.
 * Throws UserError naming the port that still serves another.
 */
export async function renewMember(
  world: EtcdWorld,
  member: MemberSpec,
  { force, progress = () => {}, patient = true }: RenewOptions,
): Promise<{ changed: boolean; running: boolean }> {
  const { store, state } = world
  const driver = world.driverOf(member)
  const authority = await authorityOf(store)
  const found = await driver.inspect()
  const why = whyDeliver(found.delivered, { authority, member, now: new Date(world.now()) })
  const needed = why !== undefined || (found.delivered !== undefined && force(found.delivered))
  const files = needed ? memberFiles(authority, member, state.spec.keyType) : found.delivered
  if (needed && files) await driver.deliver(files)
  const running = found.state === 'running' || !driver.acts
  if (patient && running && files) await untilServed(world, member, files, progress)
  return { changed: needed, running }
}

/** Waits until both ports of a member serve what was delivered. */
async function untilServed(
  world: EtcdWorld,
  member: MemberSpec,
  files: MemberFiles,
  progress: Progress,
): Promise<void> {
  const began = performance.now()
  for (;;) {
    const others = await othersServed(world, member, files)
    if (others.length === 0) return
    const todo = world.driverOf(member).todo?.('certificates')
    progress(`${member.name}: ${others.join(', ')}`, todo)
    if (performance.now() - began + everyMs > world.timeoutMs) {
      throw new UserError(`${member.name} does not serve what was delivered to it: ${others.join(', ')}`, {
        hint:
          todo === undefined
            ? 'kubectl karmada-net etcd certs status; the same command goes on from here'
            : `${todo}; then the same command again`,
      })
    }
    await pause(everyMs, world.signal)
  }
}

async function othersServed(world: EtcdWorld, member: MemberSpec, files: MemberFiles): Promise<string[]> {
  const answers = await Promise.all(
    leafRoles.map(async role => {
      const leaf = await served(world, member, role)
      if (leaf instanceof Error) return leaf.message
      if (leaf.fingerprint256 === fingerprintOf(files[`${role}.pem`])) return undefined
      return `port ${portOf(role, world.state.spec)} serves another`
    }),
  )
  return answers.filter(answer => answer !== undefined)
}
