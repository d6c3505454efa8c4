import { UserError } from '../../errors.ts'
import { pause } from '../../kube/pause.ts'
import type { Progress } from '../../steps/step.ts'
import { waitForHealthy } from '../waits.ts'
import type { EtcdWorld } from '../world.ts'
import { preflight } from './preflight.ts'

/** Between two looks at the machines themselves. Milliseconds. */
const lookMs = 10_000

/**
 * Waits for the cluster as `waitForHealthy`, and looks at the machines meanwhile: a member whose data are gone may have looked alive
 * before, while it was trying to start. Throws UserError with what the members' own last words are, where they have any.
 */
export async function waitUntilUp(world: EtcdWorld, progress: Progress): Promise<void> {
  const ended = new AbortController()
  const signal = AbortSignal.any([world.signal, ended.signal])
  const healthy = waitForHealthy({ ...world, signal }, progress).catch(async error => {
    throw (signal.aborted ? undefined : await lastWords(world, error)) ?? error
  })
  try {
    await Promise.race([healthy, watch({ ...world, signal })])
  } finally {
    ended.abort(new Error('the wait is over'))
  }
}

/** Ends only by what it finds. */
async function watch(world: EtcdWorld): Promise<never> {
  for (;;) {
    await pause(lookMs, world.signal)
    await preflight(world)
  }
}

/** They are nearer to the cause than that a member does not answer. */
async function lastWords({ state, driverOf }: EtcdWorld, cause: unknown): Promise<UserError | undefined> {
  const looked = await Promise.all(
    state.spec.members.map(async member => {
      const { said } = await driverOf(member)
        .inspect()
        .catch(() => ({ said: undefined }))
      return said === undefined ? [] : [`${member.name}: ${said}`]
    }),
  )
  const [first, ...rest] = looked.flat()
  return first === undefined ? undefined : new UserError([first, ...rest].join('\n'), { cause })
}
