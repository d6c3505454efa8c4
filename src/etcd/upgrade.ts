import { isDeepStrictEqual } from 'node:util'
import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import type { Progress, Step, StepGroup } from '../steps/step.ts'
import { waitForOwner } from './by-hand.ts'
import type { ClusterState, MemberSpec } from './cluster.ts'
import { launchFor } from './launch.ts'
import { nextMember, rolling } from './rolling.ts'
import { flagsFor } from './upgrade-flags.ts'
import { minorOf, type UpgradeFacts, whyNotUpgrade } from './versions.ts'
import { type ClusterView, lookAt } from './view.ts'
import { waitForHealthy } from './waits.ts'
import type { EtcdWorld } from './world.ts'

export interface UpgradeOptions {
  target: string
  /** Where the new version's image is, if not where the old one's was. */
  image?: string | undefined
  /** Folder for the snapshot that is taken first; undefined: none is. */
  snapshots?: string | undefined
  /** Told where the snapshot is. */
  onSnapshot?: ((path: string) => void) | undefined
}

const everyMs = 300

/** From the present version to `target`, or on from the middle. */
export const upgradeGroups = (options: UpgradeOptions): StepGroup<EtcdWorld>[] => [
  {
    steps: [
      pathStep(options),
      ...(options.snapshots === undefined ? [] : [snapshotStep(options, options.snapshots)]),
      membersStep(options),
      clusterVersionStep(options),
    ],
  },
]

const pathStep = (options: UpgradeOptions): Step<EtcdWorld> => ({
  title: 'Way',
  async guard(world) {
    await wayTo(world, options)
  },
  run: async world => ({ changed: false, detail: await wayTo(world, options) }),
})

/** From what to what, and which flags change on the way. Throws UserError where it does not go there. */
export async function wayTo(
  world: EtcdWorld,
  { target, image }: Pick<UpgradeOptions, 'target' | 'image'>,
): Promise<string> {
  const { state } = world
  requireOtherImage(state.spec.image, target, image)
  const view = await lookAt(world)
  const facts = { target, members: versionsOf(state, view), cluster: await clusterVersion(world, view) }
  const refusal = whyNotUpgrade(facts)
  if (refusal) throw new UserError(refusal.text, { hint: refusal.hint })
  const { changes } = flagsFor(target, state.spec.tuning.extraArgs)
  const renamed = changes.map(({ from, to }) => (to === undefined ? `${from} is left out` : `${from} becomes ${to}`))
  return [fromTo(facts), ...renamed].join('; ')
}

/** A reference with a tag or a digest is one version's. */
function requireOtherImage(present: string, target: string, given: string | undefined): void {
  const name = present.slice(present.lastIndexOf('/') + 1)
  if (given !== undefined || !/[:@]/.test(name) || name.endsWith(`:v${target}`)) return
  throw new UserError(`the image ${present} is of one version alone`, {
    hint: `name that of the new one: kubectl karmada-net etcd upgrade ${target} --image ${present.replace(/[:@][^/]*$/, '')}:v${target}`,
  })
}

/** What each member runs; of one that is down, what it was last started with. Pure. */
export const versionsOf = (state: ClusterState, { members }: ClusterView): UpgradeFacts['members'] =>
  members.map(({ spec: { name }, status }) => ({
    name,
    version: status?.version ?? state.members[name]?.version ?? state.spec.version,
  }))

function fromTo({ members, target }: UpgradeFacts): string {
  const from = [...new Set(members.map(({ version }) => version))].filter(version => version !== target)
  return from.length === 0 ? `all run ${target}` : `${from.join(', ')} to ${target}`
}

/** Of the first member that tells; right after the first start it is not decided yet. */
async function clusterVersion(world: EtcdWorld, { members }: ClusterView): Promise<string> {
  for (const { spec, status } of members) {
    if (!status) continue
    const { cluster } = await world.clientOf(spec).versions()
    if (/^\d+\.\d+\.\d+$/.test(cluster)) return cluster
  }
  throw new UserError('no member tells which version the cluster works by', {
    hint: 'kubectl karmada-net etcd status',
  })
}

const snapshotStep = ({ target, onSnapshot }: UpgradeOptions, directory: string): Step<EtcdWorld> => ({
  title: 'Snapshot',
  async run(world, progress) {
    const versions = versionsOf(world.state, await lookAt(world))
    if (versions.some(({ version }) => version === target)) {
      return { changed: false, detail: 'was due before the first member' }
    }
    const { saveSnapshot } = await import('./snapshot/save.ts')
    const { facts, member } = await saveSnapshot(world, { target: { directory }, progress })
    onSnapshot?.(facts.path)
    return { changed: false, detail: `from ${member}: ${facts.path}` }
  },
})

const membersStep = ({ target, image }: UpgradeOptions): Step<EtcdWorld> => ({
  title: 'Members, one by one',
  async guard(world) {
    const view = await lookAt(world)
    const { only, inHand } = unfinished(world.state, view, target)
    if (only.length > 0) nextMember(view, only, inHand)
  },
  async run(world, progress) {
    const view = await lookAt(world)
    const { only, inHand } = unfinished(world.state, view, target)
    const wanted = towards(world.state, { target, image, only })
    if (!isDeepStrictEqual(wanted, world.state)) await world.remember(wanted)
    const done: string[] = []
    const perMember = async (member: MemberSpec) => {
      // Before it is stopped: a run after this one must know what to start.
      await world.remember(withVersion(world.state, member.name, target))
      await startNew(world, member, target, progress)
      done.push(member.name)
    }
    await rolling(world, perMember, { progress, only, inHand }).catch(error => explained(world, error))
    return { changed: done.length > 0, detail: done.join(', ') || `all run ${target}` }
  },
})

/** Who does not run the target yet, and who was in hand when an earlier run was cut off. Pure. */
export function unfinished(
  state: ClusterState,
  { members }: ClusterView,
  target: string,
): { only: string[]; inHand?: string | undefined } {
  const recorded = new Set(members.map(({ spec }) => state.members[spec.name]?.version))
  const down = members.find(
    ({ spec, status }) => !status && (recorded.size > 1 || state.members[spec.name]?.version === target),
  )
  const only = members.filter(({ status }) => status?.version !== target).map(({ spec }) => spec.name)
  return { only, inHand: down?.spec.name }
}

/**
 * What is known once the way is chosen. Pure. A run that was cut off may have noted another version for a member that it never
 * came to: those that run the target already are done, whatever was noted.
 */
export function towards(
  state: ClusterState,
  { target, image = state.spec.image, only }: { target: string; image?: string | undefined; only: string[] },
): ClusterState {
  const settled = Object.keys(state.members).filter(name => !only.includes(name))
  const known = settled.reduce((known, name) => withVersion(known, name, target), state)
  return { ...known, spec: { ...known.spec, version: target, image } }
}

const withVersion = (state: ClusterState, name: string, version: string): ClusterState => ({
  ...state,
  members: { ...state.members, [name]: { generation: 1, ...state.members[name], version } },
})

async function startNew(world: EtcdWorld, member: MemberSpec, target: string, progress: Progress): Promise<void> {
  const driver = world.driverOf(member)
  progress(`${member.name}: ${target}`)
  await driver.start(launchFor(world.state, member, driver))
  if (driver.acts) return
  const todo = driver.todo?.('install') ?? ''
  const done = async () => (await runningVersion(world, member)) === target
  await waitForOwner(world, { missing: `${member.name} does not run ${target}`, todo, done }, progress)
}

const runningVersion = (world: EtcdWorld, member: MemberSpec): Promise<string | undefined> =>
  world
    .clientOf(member)
    .status({ timeoutMs: 2000 })
    .then(
      ({ version }) => version,
      () => undefined,
    )

/** What etcd itself said last, where a member did not come back. */
async function explained(world: EtcdWorld, error: unknown): Promise<never> {
  world.signal.throwIfAborted()
  if (!(error instanceof UserError)) throw error
  const said = await Promise.all(
    world.state.spec.members.map(async member => {
      const found = await world
        .driverOf(member)
        .inspect()
        .catch(() => undefined)
      return found?.said ? [`${member.name} says: ${found.said}`] : []
    }),
  )
  throw new UserError([error.message, ...said.flat()].join('\n'), { hint: error.hint, cause: error })
}

const clusterVersionStep = ({ target }: UpgradeOptions): Step<EtcdWorld> => ({
  title: 'Cluster and storage version',
  async run(world, progress) {
    const wanted = minorOf(target)
    const began = performance.now()
    for (;;) {
      const behind = await notRaised(world, wanted)
      if (behind.length === 0) break
      progress(behind.join(', '))
      if (performance.now() - began > world.timeoutMs) {
        throw new UserError(`the cluster does not work by ${wanted} yet: ${behind.join(', ')}`, {
          hint: 'the same command goes on waiting',
        })
      }
      await pause(everyMs, world.signal)
    }
    await waitForHealthy(world, progress)
    return { changed: false, detail: wanted }
  },
})

async function notRaised(world: EtcdWorld, wanted: string): Promise<string[]> {
  const told = await Promise.all(
    world.state.spec.members.map(async member => {
      try {
        const { cluster, storage = cluster } = await world.clientOf(member).versions()
        const raised = minorOf(cluster) === wanted && minorOf(storage) === wanted
        return raised ? [] : [`${member.name}: cluster ${cluster}, storage ${storage}`]
      } catch (error) {
        return [`${member.name}: ${error instanceof Error ? error.message : String(error)}`]
      }
    }),
  )
  world.signal.throwIfAborted()
  return told.flat()
}
