import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import type { Progress, Step } from '../steps/step.ts'
import { stopped } from './by-hand.ts'
import { hexId, type MemberStatus } from './client/types.ts'
import { type MemberSpec, quorumOf } from './cluster.ts'
import type { Found } from './drivers/driver.ts'
import { launchFor } from './launch.ts'
import { requireMember } from './member/words.ts'
import type { Restoring } from './restore/steps.ts'
import { requireGoodSnapshot } from './snapshot/inspect.ts'
import { saveSnapshot } from './snapshot/save.ts'
import { type ClusterView, lookAt } from './view.ts'
import type { EtcdWorld } from './world.ts'

/** How one machine was found. */
export interface Machine {
  spec: MemberSpec
  /** Undefined: the machine did not answer, see `error`. */
  found?: Found | undefined
  error?: string | undefined
}

export interface Recovery {
  survivor: Machine
  /** It answers, so its data are taken as it has them; otherwise its log has to be played first. */
  answers: boolean
  /** Get the survivor's data. */
  members: MemberSpec[]
  /** Machines that do not answer: replaced once they are back. */
  left: Machine[]
  /** The newest revision that anybody tells. */
  current: bigint | undefined
}

export interface RecoveryOptions {
  /** Also where others seem to have more, or only to be stopped. */
  force?: boolean | undefined
  /** Members whose machines are gone: of one that only its owner reaches nobody else can tell. */
  without?: readonly string[] | undefined
}

/** The one flag with which an etcd goes on alone. */
export const aloneFlag = '--force-new-cluster'

/** Looks at members and machines, changes nothing. Throws UserError where there is something better to do. */
export async function planRecovery(world: EtcdWorld, from: string, options: RecoveryOptions = {}): Promise<Recovery> {
  for (const name of [from, ...(options.without ?? [])]) requireMember(world.state, name)
  const [view, machines] = await Promise.all([
    lookAt(world),
    Promise.all(world.state.spec.members.map(spec => lookAtMachine(world, spec))),
  ])
  return recoveryOf(view, machines, from, options)
}

async function lookAtMachine(world: EtcdWorld, spec: MemberSpec): Promise<Machine> {
  const driver = world.driverOf(spec)
  try {
    return { spec, found: await driver.inspect() }
  } catch (error) {
    world.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    return { spec, error: error.message }
  }
}

/** Pure. Throws UserError that says what else to do. */
export function recoveryOf(
  view: Pick<ClusterView, 'members' | 'hasQuorum'>,
  machines: readonly Machine[],
  from: string,
  { force = false, without = [] }: RecoveryOptions = {},
): Recovery {
  const survivor = machines.find(({ spec }) => spec.name === from)
  if (!survivor) throw new Error(`no machine of ${from}`)
  const status = statusOf(view, from)
  // A run that was cut off left it alone, with the quorum of one.
  const alone = survivor.found?.launch?.args.includes(aloneFlag) ?? false
  if (view.hasQuorum && !alone) {
    throw new UserError('the cluster has a quorum: there is nothing to recover', {
      hint: 'single members are replaced: kubectl karmada-net etcd member replace NAME',
    })
  }
  if (without.includes(from)) throw new UserError(`${from} cannot be both --from and --without`)
  if (!survivor.found) throw new UserError(`the machine of ${from} does not answer: ${survivor.error}`)
  if (!survivor.found.launch || survivor.found.state === 'absent') {
    throw new UserError(`there are no data of ${from} on its machine`, {
      hint: 'kubectl karmada-net etcd snapshot list',
    })
  }
  if (!alone && !force) refuseWhereOthersAreBetter(view, machines, from, status)
  const usable = machines.filter(
    ({ found, spec }) => found && found.foreign === undefined && !without.includes(spec.name),
  )
  const revisions = view.members.flatMap(member => member.status?.revision ?? [])
  return {
    survivor,
    answers: status !== undefined,
    members: usable.map(({ spec }) => spec),
    left: machines.filter(machine => !usable.includes(machine)),
    current: revisions.reduce<bigint | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined),
  }
}

const statusOf = (view: Pick<ClusterView, 'members'>, name: string): MemberStatus | undefined =>
  view.members.find(({ spec }) => spec.name === name)?.status

function refuseWhereOthersAreBetter(
  view: Pick<ClusterView, 'members'>,
  machines: readonly Machine[],
  from: string,
  status: MemberStatus | undefined,
): void {
  const ahead = view.members.find(
    member => member.status && member.spec.name !== from && isAhead(member.status, status),
  )
  if (ahead?.status) {
    const has = (it: MemberStatus | undefined) =>
      it ? `entry ${it.raftAppliedIndex} of term ${it.raftTerm}` : 'nothing that it tells'
    throw new UserError(`${ahead.spec.name} has more than ${from}: ${has(ahead.status)}, not ${has(status)}`, {
      hint: `--from ${ahead.spec.name}; --force takes ${from} all the same`,
    })
  }
  const there = machines.filter(({ found }) => found?.launch && found.state !== 'absent').map(({ spec }) => spec.name)
  if (there.length >= quorumOf(machines.length)) {
    throw new UserError(`${there.join(', ')} are there, enough for a quorum: perhaps they only have to be started`, {
      hint: `kubectl karmada-net etcd up; where their data are lost: the same command with --force`,
    })
  }
}

const isAhead = (one: MemberStatus, other: MemberStatus | undefined): boolean =>
  !other ||
  one.raftTerm > other.raftTerm ||
  (one.raftTerm === other.raftTerm && one.raftAppliedIndex > other.raftAppliedIndex)

/** What a dry run says, and the question before it begins. Pure. */
export function recoveryLines({ survivor, answers, members, left }: Recovery, file: string): string[] {
  const { name } = survivor.spec
  const others = members.filter(member => member.name !== name).map(member => member.name)
  return [
    ...(answers
      ? []
      : [
          ...(others.length > 0 ? [`stop ${others.join(', ')}`] : []),
          `start ${name} once with ${aloneFlag}: it plays its log and answers alone`,
        ]),
    `save what ${name} has to ${file}`,
    `stop ${members.map(member => member.name).join(', ')}; their data stay where they are`,
    `restore the file on each, start them as a new cluster, revisions raised`,
    ...left.map(
      ({ spec, error }) =>
        `left out: ${spec.name}${error ? ` (${error})` : ''}; later: etcd member replace ${spec.name}`,
    ),
  ]
}

/** From one member that is left to a checked file; `restoreGroups` goes on from there. */
export function survivorSteps(recovery: Recovery, file: string, saved: (job: Restoring) => void): Step<EtcdWorld>[] {
  return [...(recovery.answers ? [] : [aloneStep(recovery)]), saveStep(recovery, file, saved)]
}

/**
 * An etcd that starts without a quorum answers nobody, because it cannot make itself known. Alone it can; entries that it does not know to
 * be agreed on are dropped, as every way from a single survivor must.
 */
const aloneStep = ({ survivor, members }: Recovery): Step<EtcdWorld> => ({
  title: `${survivor.spec.name} alone`,
  async run(world, progress) {
    const { spec, found } = survivor
    const { generation = 1 } = found?.launch ?? {}
    const others = members.filter(({ name }) => name !== spec.name)
    await Promise.all(others.map(member => stopped(world, member, progress)))
    const driver = world.driverOf(spec)
    const known = world.state.members[spec.name]
    // Where its data are: a run that was cut off may have chosen the next directory already.
    const was = {
      ...world.state,
      members: {
        ...world.state.members,
        [spec.name]: { version: known?.version ?? world.state.spec.version, generation },
      },
    }
    const launch = launchFor(was, spec, driver)
    const changed = await driver.start({ ...launch, args: [...launch.args, aloneFlag] })
    const status = await answering(world, spec, progress)
    return { changed, detail: `${hexId(status.id)}, revision ${status.revision}` }
  },
})

async function answering(world: EtcdWorld, spec: MemberSpec, progress: Progress): Promise<MemberStatus> {
  const driver = world.driverOf(spec)
  const end = performance.now() + world.timeoutMs
  for (;;) {
    const status = await world
      .clientOf(spec)
      .status({ timeoutMs: 1500 })
      .catch((error: unknown) => {
        world.signal.throwIfAborted()
        progress(error instanceof Error ? error.message : String(error), driver.todo?.('install'))
      })
    if (status && status.leader !== 0n) return status
    if (performance.now() > end) break
    await pause(200, world.signal)
  }
  const { said } = await driver.inspect()
  throw new UserError(
    `${spec.name} does not start alone${said ? `: ${said}` : ''}\n${await driver.logs(5).catch(() => '')}`.trim(),
    {
      hint: 'if its log is damaged: copy member/snap/db of its data directory away, restore it by hand with etcdutl snapshot restore --skip-hash-check',
    },
  )
}

const saveStep = (recovery: Recovery, file: string, saved: (job: Restoring) => void): Step<EtcdWorld> => ({
  title: `Data of ${recovery.survivor.spec.name} saved`,
  async run(world, progress) {
    const { spec } = recovery.survivor
    const { facts } = await saveSnapshot(world, { target: { file, overwrite: true }, member: spec.name, progress })
    const good = await requireGoodSnapshot(file, { signal: world.signal })
    saved({ facts: good, members: recovery.members, current: recovery.current })
    return { changed: true, detail: `${file}, revision ${facts.revision}` }
  },
})
