import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import type { Progress } from '../steps/step.ts'
import type { MemberSpec } from './cluster.ts'
import type { EtcdWorld } from './world.ts'

const everyMs = 2000

export interface OwnersTask {
  /** What is waited for: `etcd of m1 was not restarted`, as the error says it. */
  missing: string
  /** What the owner of the machine has to do, in words that can be pasted. */
  todo: string
  done(): Promise<boolean>
}

/** Waits until somebody has done by hand what no driver can. Throws UserError with what is still to be done when the time is over. */
export async function waitForOwner(
  { signal, timeoutMs }: Pick<EtcdWorld, 'signal' | 'timeoutMs'>,
  { missing, todo, done }: OwnersTask,
  progress: Progress,
): Promise<void> {
  const began = performance.now()
  while (!(await done())) {
    signal.throwIfAborted()
    progress(todo, todo)
    if (performance.now() - began > timeoutMs) {
      throw new UserError(`${missing} within ${Math.round(timeoutMs / 1000)}s`, {
        hint: `${todo}, and run the same command again`,
      })
    }
    await pause(everyMs, signal)
  }
}

/** Stops a member, or waits until its owner has. True: it ran. */
export async function stopped(world: EtcdWorld, member: MemberSpec, progress: Progress): Promise<boolean> {
  const driver = world.driverOf(member)
  if (driver.acts) return driver.stop()
  let ran = false
  const done = () =>
    driver.stop().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof UserError)) throw error
        ran = true
        return false
      },
    )
  const todo = driver.todo?.('stop') ?? ''
  await waitForOwner(world, { missing: `etcd of ${member.name} was not stopped`, todo, done }, progress)
  return ran
}
