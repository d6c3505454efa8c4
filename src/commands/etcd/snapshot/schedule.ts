import type { FlagValues } from '../../../cli/flag.ts'
import { flag } from '../../../cli/flag.ts'
import { program } from '../../../cli/io.ts'
import type { Session } from '../../../cli/session.ts'
import { UserError } from '../../../errors.ts'
import type { Backup } from '../../../etcd/cluster.ts'
import type { EtcdWorld } from '../../../etcd/world.ts'
import { callerFor, machineFor } from '../machine.ts'
import { type EtcdFlags, openEtcd } from '../shared.ts'

export const scheduleFlags = {
  every: flag.string(
    'From now on: 15m, 6h, 1d, 1w, or a line of cron, in UTC; "never" ends it, and leaves what was saved',
  ),
  claim: flag.string(
    'With --every, in Kubernetes: a PersistentVolumeClaim of each cluster, instead of a folder of the node',
  ),
  out: flag.string('With --every: write units of systemd into this folder, for you to install', { files: true }),
}

interface ScheduleOptions extends EtcdFlags, FlagValues<typeof scheduleFlags> {
  every: string
  keep?: number | undefined
  directory?: string | undefined
  endpoints?: string | undefined
  member?: string | undefined
  force: boolean
  dryRun: 'none' | 'client'
  timeout: number
  output?: 'json' | 'yaml' | 'name' | undefined
}

/** Throws UserError for what means something on a schedule alone. */
export function refuseScheduleFlags({ claim, out }: FlagValues<typeof scheduleFlags>): void {
  const given = [claim === undefined ? [] : '--claim', out === undefined ? [] : '--out'].flat()
  if (given.length > 0) throw new UserError(`${given.join(' and ')}: for backups on a schedule`, { hint: '--every 6h' })
}

/** Backups on a schedule from now on, or no more. */
export async function schedule(target: string | undefined, flags: ScheduleOptions, session: Session): Promise<void> {
  refuseOneTime(target, flags)
  const world = await openEtcd(flags, session)
  const { backup: before } = world.state.spec
  const backup = flags.every === 'never' ? undefined : await backupFrom(flags, before)
  const [steps, { perform }] = await Promise.all([
    stepsFor(world, backup, flags, session),
    import('../../../cli/perform.ts'),
  ])
  const { withLock } = await import('../../../etcd/lock.ts')
  if (flags.dryRun !== 'none') {
    world.state = { ...world.state, spec: { ...world.state.spec, backup } }
    return dryRun(world, steps, flags, session)
  }
  const result = await withLock(world, 'snapshot save --every', () => perform(session, [{ steps }], world))
  if (!backup)
    return session.say(`\nBackups of ${world.state.spec.name} are not scheduled any more; those that were taken stay.`)
  if (!result.changed) return session.say(`\nNothing to do: backups of ${world.state.spec.name} are taken as wanted.`)
  await conclude(world, session, flags)
}

function refuseOneTime(target: string | undefined, flags: ScheduleOptions): void {
  if (target !== undefined) {
    throw new UserError(`with --every the folder is named by --directory: --directory ${target}`)
  }
  if (flags.endpoints !== undefined) {
    throw new UserError('--every is for clusters that are remembered, and --endpoints for others', {
      hint: `a scheduler of your own can run: ${program} etcd snapshot save FOLDER --endpoints ...`,
    })
  }
  if (flags.member !== undefined || flags.force) throw new UserError('--member and --force are for one snapshot')
}

/** What is not said stays as it was. Throws UserError for a schedule that cannot be. */
async function backupFrom(flags: ScheduleOptions, before: Backup | undefined): Promise<Backup> {
  const [{ parseSchedule }, { defaultBackup }] = await Promise.all([
    import('../../../etcd/backup/schedule.ts'),
    import('../../../etcd/inventory/index.ts'),
  ])
  parseSchedule(flags.every)
  const { keep, claim, directory } = flags
  if (claim !== undefined && directory !== undefined) throw new UserError('a claim or a directory: give one of them')
  if (directory !== undefined && !directory.startsWith('/')) {
    throw new UserError(`--directory ${directory}: an absolute path, since it is another program that runs there`)
  }
  const { claim: claimBefore, ...rest } = { ...defaultBackup, ...before }
  const kept = claim ?? (directory === undefined ? claimBefore : undefined)
  return {
    ...rest,
    schedule: flags.every,
    ...(keep !== undefined && { keep }),
    ...(directory !== undefined && { directory }),
    ...(kept !== undefined && { claim: kept }),
  }
}

async function stepsFor(world: EtcdWorld, backup: Backup | undefined, flags: ScheduleOptions, session: Session) {
  const { clusterBackupsStep, endBackupsStep, machineBackupsStep, rememberBackupStep } = await import(
    '../../../etcd/backup/schedule-steps.ts'
  )
  const { backupPlaces } = await import('../../../etcd/backup/plan.ts')
  const machine = await machineFor(flags, session)
  // What is ended is remembered until it has ended.
  if (!backup) return [endBackupsStep(machine), rememberBackupStep(undefined)]
  const inClusters = backupPlaces(world.state.spec).length > 0 && flags.out === undefined
  if (!inClusters && flags.claim !== undefined) {
    throw new UserError('no member runs in Kubernetes, where a claim would be', { hint: '--directory DIR' })
  }
  return [rememberBackupStep(backup), inClusters ? clusterBackupsStep : machineBackupsStep(machine)]
}

async function dryRun(
  world: EtcdWorld,
  steps: Awaited<ReturnType<typeof stepsFor>>,
  flags: ScheduleOptions,
  session: Session,
): Promise<void> {
  const { backup, name } = world.state.spec
  const { backupPlaces } = await import('../../../etcd/backup/plan.ts')
  if (backup && (backupPlaces(world.state.spec).length === 0 || flags.out !== undefined)) {
    const { backupUnits } = await import('../../../etcd/backup/units.ts')
    const units = Object.entries(backupUnits(name, backup, await callerFor(flags, session)))
    for (const [file, text] of units) session.out(`# ${file}\n${text}`)
    return session.say('Nothing was changed (dry run).')
  }
  if (backup) {
    const { perform } = await import('../../../cli/perform.ts')
    await perform(session, [{ steps }], world, { dryRun: 'client', output: flags.output ?? 'yaml' })
    return session.say('Nothing was changed (dry run).')
  }
  const { sayPlan } = await import('../plan.ts')
  await sayPlan(session, [{ steps }], world)
}

async function conclude(world: EtcdWorld, session: Session, flags: ScheduleOptions): Promise<void> {
  const { backupWheres } = await import('../../../etcd/backup/schedule-steps.ts')
  const { unitNames } = await import('../../../etcd/backup/units.ts')
  const { name, backup } = world.state.spec
  const wheres = backupWheres(world)
  session.say()
  if (flags.out !== undefined) {
    const { service, timer } = unitNames(name)
    session.say('On the machine that is to take backups, which needs this plugin and its state folder:')
    const { user } = await callerFor(flags, session)
    session.say(`  install -d -o ${user} -m 0700 ${backup?.directory}`)
    session.say(`  install -m 0644 ${service} ${timer} /etc/systemd/system/`)
    return session.say(`  systemctl daemon-reload && systemctl enable --now ${timer}`)
  }
  session.say(`Backups of ${name} lie in:`)
  for (const where of wheres.length > 0 ? wheres : [`this machine, folder ${backup?.directory}`])
    session.say(`  ${where}`)
  session.say(`Try:  ${program} etcd status   tells when they are overdue or fail`)
}
