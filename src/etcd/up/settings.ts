import type { Progress, Step } from '../../steps/step.ts'
import { waitForOwner } from '../by-hand.ts'
import { readMetrics, startedIn } from '../client/metrics.ts'
import type { MemberSpec, Settling } from '../cluster.ts'
import { launchFor, sameLaunch } from '../launch.ts'
import { rolling } from '../rolling.ts'
import type { EtcdWorld } from '../world.ts'

/** Settings reach members that run one after the other, each when all others are well; by hand where only that is possible. */
export const settingsStep: Step<EtcdWorld> = {
  title: 'Settings',
  async run(world, progress) {
    const { settling } = world.state
    const members = await whoDiffers(world)
    if (members.length > 0) {
      sayOrder(world, members, progress)
      const only = members.map(({ name }) => name)
      await rolling(world, member => settle(world, member, progress), { progress, only, inHand: settling?.member })
    }
    return { changed: members.length > 0, detail: restarted(members) }
  },
}

const restarted = (members: MemberSpec[]) =>
  members.length === 0 ? 'as they run' : `restarted one after the other: ${members.map(({ name }) => name).join(', ')}`

async function whoDiffers(world: EtcdWorld): Promise<MemberSpec[]> {
  const looked = await Promise.all(
    world.state.spec.members.map(async member => {
      if (world.state.settling?.member === member.name) return [member]
      const driver = world.driverOf(member)
      const { launch } = await driver.inspect()
      const wanted = launchFor(world.state, member, driver)
      return launch !== undefined && !sameLaunch(launch, wanted) ? [member] : []
    }),
  )
  return looked.flat()
}

function sayOrder(world: EtcdWorld, members: readonly MemberSpec[], progress: Progress): void {
  const byHand = members.filter(member => !world.driverOf(member).acts).map(({ name }) => name)
  if (byHand.length < 2) return
  const order = `New settings for ${byHand.join(', ')}: their files are written one after the other, the leader's last`
  progress(order, `${order}. Each is to be restarted when it is named here, and no other.`)
}

async function settle(world: EtcdWorld, member: MemberSpec, progress: Progress): Promise<void> {
  const driver = world.driverOf(member)
  const launch = launchFor(world.state, member, driver)
  if (driver.acts) {
    await driver.start(launch)
    return
  }
  // Before the files: a run after this one must know that they are not what it runs with.
  const settling = await begin(world, member)
  await driver.start(launch)
  const todo = driver.todo?.('install') ?? ''
  const done = () => runsAnew(world, member, settling)
  await waitForOwner(world, { missing: `etcd of ${member.name} was not restarted`, todo, done }, progress)
  const { settling: _, ...settled } = world.state
  await world.remember(settled)
}

async function begin(world: EtcdWorld, member: MemberSpec): Promise<Settling> {
  const { settling: before } = world.state
  if (before?.member === member.name) return before
  const settling: Settling = { member: member.name, since: await startOf(world, member) }
  await world.remember({ ...world.state, settling })
  return settling
}

/** Another process than before, and where it tells the one setting that an etcd does tell, that one is as it should be. */
async function runsAnew(world: EtcdWorld, member: MemberSpec, { since }: Settling): Promise<boolean> {
  const started = await startOf(world, member)
  if (started === undefined || started === since) return false
  const { dbSizeQuota = 0 } =
    (await world
      .clientOf(member)
      .status()
      .catch(() => undefined)) ?? {}
  return dbSizeQuota === 0 || dbSizeQuota === world.state.spec.tuning.quotaBytes
}

/** Undefined while it does not answer. */
async function startOf(world: EtcdWorld, member: MemberSpec): Promise<number | undefined> {
  const metrics = await readMetrics(world, member).catch(() => undefined)
  world.signal.throwIfAborted()
  return metrics === undefined ? undefined : startedIn(metrics)
}
