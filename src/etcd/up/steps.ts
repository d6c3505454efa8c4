import { isDeepStrictEqual } from 'node:util'
import type { KeyPair } from '../../pki/certificate.ts'
import type { Step, StepGroup } from '../../steps/step.ts'
import {
  admin,
  authorityOf,
  ensureAuthority,
  ensureClient,
  memberFiles,
  requireAuthority,
  whyDeliver,
} from '../certificates.ts'
import type { ClusterState, MemberSpec } from '../cluster.ts'
import type { Driver, Launch } from '../drivers/driver.ts'
import { inTurn, type Turn } from '../in-turn.ts'
import { launchFor, sameLaunch } from '../launch.ts'
import { lookAt } from '../view.ts'
import type { EtcdWorld } from '../world.ts'
import { preflight } from './preflight.ts'
import { probe } from './probe.ts'
import { settingsStep } from './settings.ts'
import { waitUntilUp } from './wait.ts'

export interface UpOptions {
  /** The state to make true; `mergeSpec` made it. */
  wanted: ClusterState
  /** The user's own certificate authority. */
  authority?: KeyPair | undefined
}

/** From nothing to members that run: each one's part beside the others'. */
export function startGroups({ wanted, authority }: UpOptions): StepGroup<EtcdWorld>[] {
  const turn = inTurn()
  return [
    { steps: [preflightStep, rememberStep(wanted), authorityStep(authority)] },
    ...wanted.spec.members.map(member => ({
      title: member.name,
      steps: [certificatesStep(member), startStep(member, turn)],
    })),
  ]
}

/** From members that run to a cluster that is verified. */
export const verifyGroups = (): StepGroup<EtcdWorld>[] => [
  { steps: [healthyStep, settingsStep, clientsStep, probeStep] },
]

const preflightStep: Step<EtcdWorld> = {
  title: 'Machines',
  guard: preflight,
  async run(world) {
    await preflight(world)
    return { changed: false, detail: `${world.state.spec.members.length} reached` }
  },
}

const rememberStep = (wanted: ClusterState): Step<EtcdWorld> => ({
  title: 'State',
  async run(world) {
    const known = await world.store.read('cluster.json')
    if (known !== undefined && isDeepStrictEqual(JSON.parse(known), JSON.parse(JSON.stringify(wanted)))) {
      return { changed: false, detail: world.store.where }
    }
    await world.remember(wanted)
    return { changed: true, detail: world.store.where }
  },
})

const authorityStep = (given: KeyPair | undefined): Step<EtcdWorld> => ({
  title: 'Certificate authority',
  guard: ({ store, state }) => requireAuthority(store, state.spec, given),
  async run({ store, state }) {
    const made = await ensureAuthority(store, state.spec, given)
    const { issued } = await ensureClient(store, admin, state.spec.keyType)
    return { changed: made || issued, detail: made && !given ? `new, ${state.spec.keyType}` : undefined }
  },
})

const certificatesStep = (member: MemberSpec): Step<EtcdWorld> => ({
  title: 'Certificates',
  async run(world) {
    const { store, state } = world
    const driver = world.driverOf(member)
    const authority = await authorityOf(store)
    const { delivered } = await driver.inspect()
    const why = whyDeliver(delivered, { authority, member, now: new Date(world.now()) })
    if (why === undefined) return { changed: false }
    await driver.deliver(memberFiles(authority, member, state.spec.keyType))
    return { changed: true, detail: delivery(driver, why) }
  },
})

const startStep = (member: MemberSpec, turn: Turn): Step<EtcdWorld> => ({
  title: 'etcd',
  objects: world => [plannedMember(world, member)],
  async run(world) {
    const driver = world.driverOf(member)
    const launch = launchFor(world.state, member, driver)
    // A restart for new settings may only come when all others are well: `settingsStep`.
    const waits = world.state.formed && (await runs(world, member, launch))
    const mended = (waits && (await driver.mend?.(launch))) || []
    if (mended.length > 0) return { changed: true, detail: `${launch.version}; put right: ${mended.join(', ')}` }
    const start = () => driver.start(launch)
    // New ones find each other the quicker the sooner all are there.
    const begin = world.state.formed && driver.acts ? () => turn(world, member, start) : start
    const changed = waits ? false : await begin()
    return { changed, detail: changed ? delivery(driver, launch.version) : launch.version }
  },
})

/** Of a member that only its owner reaches: it answers, and would have to be restarted for what is to be written. */
async function runs(world: EtcdWorld, member: MemberSpec, wanted: Launch): Promise<boolean> {
  const driver = world.driverOf(member)
  const { state, launch } = await driver.inspect()
  if (driver.acts) return state === 'running'
  if (!launch || sameLaunch(launch, wanted)) return false
  return world
    .clientOf(member)
    .status({ timeoutMs: 2000 })
    .then(
      () => true,
      () => false,
    )
}

/** What is only written counts when somebody has installed it. */
const delivery = ({ acts, where }: Driver, detail: string): string =>
  acts ? detail : `${detail}; new ${where}, to be installed`

/** What a dry run shows of a member, whatever its driver: the command line is the same everywhere. */
function plannedMember(world: EtcdWorld, member: MemberSpec) {
  const driver = world.driverOf(member)
  const { image, args, bootstrapArgs } = launchFor(world.state, member, driver)
  const object = {
    apiVersion: 'karmada-net.io/v1alpha1',
    kind: 'EtcdMember',
    metadata: { name: member.name },
    spec: { image, args: [...args, ...bootstrapArgs] },
  }
  return { where: `${member.name}, ${driver.where}`, object }
}

const healthyStep: Step<EtcdWorld> = {
  title: 'Quorum',
  async run(world, progress) {
    await waitUntilUp(world, progress)
    const { leader } = await lookAt(world)
    const { formed } = world.state
    if (!formed) await world.remember({ ...world.state, formed: true })
    return { changed: !formed, detail: leader && `leader ${leader.spec.name}` }
  },
}

const clientsStep: Step<EtcdWorld> = {
  title: 'Client certificates',
  async run({ store, state }) {
    const issued: string[] = []
    for (const consumer of state.spec.consumers) {
      if ((await ensureClient(store, consumer, state.spec.keyType)).issued) issued.push(consumer)
    }
    return { changed: issued.length > 0, detail: issued.join(', ') || undefined }
  },
}

const probeStep: Step<EtcdWorld> = {
  title: 'Write and read through each member',
  async run(world) {
    const slowest = await probe(world)
    return { changed: false, detail: `${Math.round(slowest.elapsedMs)} ms, slowest ${slowest.member}` }
  },
}
