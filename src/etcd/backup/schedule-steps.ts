import { isDeepStrictEqual } from 'node:util'
import type { PlannedObject, Step } from '../../steps/step.ts'
import { clientFiles, ensureClient, trustedBy } from '../certificates.ts'
import { type Backup, type ClusterSpec, clientUrl } from '../cluster.ts'
import type { BackupJob } from '../drivers/driver.ts'
import type { EtcdWorld } from '../world.ts'
import { backsUpInClusters, backupConsumer, backupPlaces } from './plan.ts'
import { parseSchedule } from './schedule.ts'
import type { Machine } from './systemd.ts'

/** Backups in the clusters of members are as the state wants them. */
export const clusterBackupsStep: Step<EtcdWorld> = {
  title: 'Scheduled backups',
  objects: plannedBackups,
  async run(world) {
    const changed = await inClusters(world, world.state.spec.backup)
    return { changed, detail: detailOf(world.state.spec.backup) }
  },
}

/** The timer of the machine that the plugin runs on is as the state wants it. */
export const machineBackupsStep = (machine: Machine): Step<EtcdWorld> => ({
  title: 'Scheduled backups',
  async run(world) {
    const { backup, name } = world.state.spec
    if (!backup) return { changed: false }
    const { changed, where } = await machine.ensure(name, backup)
    return { changed, detail: `${detailOf(backup)}; ${where}` }
  },
})

/** This machine takes no backups any more. */
export const endTimerStep = (machine: Machine): Step<EtcdWorld> => ({
  title: 'No more backups',
  run: async ({ state }) => ({ changed: await machine.remove(state.spec.name) }),
})

/** Backups are not taken any more, wherever they were; those that were taken stay. */
export const endBackupsStep = (machine: Machine): Step<EtcdWorld> => ({
  title: 'No more backups',
  async run(world) {
    const inAll = await inClusters(world, undefined)
    const here = await machine.remove(world.state.spec.name)
    return { changed: inAll || here }
  },
})

export const rememberBackupStep = (backup: Backup | undefined): Step<EtcdWorld> => ({
  title: 'State',
  async run(world) {
    const { backup: before, ...spec } = world.state.spec
    if (isDeepStrictEqual(before, backup)) return { changed: false, detail: world.store.where }
    await world.remember({ ...world.state, spec: { ...spec, ...(backup && { backup }) } })
    return { changed: true, detail: world.store.where }
  },
})

const detailOf = (backup: Backup | undefined): string | undefined =>
  backup && `${parseSchedule(backup.schedule).cron} UTC, the newest ${backup.keep} stay`

/** What `etcd up` and whatever changes members do for backups that are wanted. `machine`: for clusters without a member in Kubernetes. */
export function backupSteps(spec: ClusterSpec, machine: Machine): Step<EtcdWorld>[] {
  if (!spec.backup) return []
  return [backupPlaces(spec).length > 0 ? clusterBackupsStep : machineBackupsStep(mildly(machine))]
}

/** A cluster is up also where this machine is none that could take its backups. */
const mildly = (machine: Machine): Machine => ({
  ...machine,
  async ensure(cluster, backup) {
    const why = await machine.whyNot()
    return why === undefined
      ? machine.ensure(cluster, backup)
      : { changed: false, where: `not scheduled from here: ${why}` }
  },
})

/** The certificate that jobs present, and whom they trust, after these have changed. */
export async function renewBackups(world: EtcdWorld): Promise<void> {
  if (backsUpInClusters(world.state.spec)) await inClusters(world, world.state.spec.backup)
}

async function inClusters(world: EtcdWorld, backup: Backup | undefined): Promise<boolean> {
  const { spec } = world.state
  const places = new Set(backupPlaces(spec).map(({ name }) => name))
  const job = backup && (await jobOf(world, backup))
  const done = await Promise.all(
    spec.members.map(member => {
      const backups = world.driverOf(member).backups
      return (job && places.has(member.name) ? backups?.ensure(job) : backups?.remove()) ?? false
    }),
  )
  if (!backup) await forgetClient(world)
  return done.includes(true)
}

/** Its key is of no use to anybody. */
async function forgetClient({ store }: EtcdWorld): Promise<void> {
  const { certificate, key } = clientFiles(backupConsumer)
  if ((await store.read(certificate)) !== undefined) await store.write({ [certificate]: undefined, [key]: undefined })
}

async function jobOf(world: EtcdWorld, backup: Backup): Promise<BackupJob> {
  const { pair } = await ensureClient(world.store, backupConsumer, world.state.spec.keyType)
  const ca = (await trustedBy(world.store)) ?? ''
  return { ...jobFrom(world, backup), identity: { ca, ...pair } }
}

function jobFrom({ state: { spec } }: EtcdWorld, { schedule, keep, directory, claim }: Backup): BackupJob {
  return {
    ...{ schedule: parseSchedule(schedule), keep, directory, claim },
    endpoints: spec.members.map(member => clientUrl(member, spec)),
    identity: { ca: '', certificate: '', key: '' },
  }
}

/** For a dry run: nothing is issued, and a Secret's values are hidden anyway. */
function plannedBackups(world: EtcdWorld): PlannedObject[] {
  const { spec } = world.state
  const { backup } = spec
  if (!backup) return []
  const job = jobFrom(world, backup)
  return backupPlaces(spec).flatMap(member => world.driverOf(member).backups?.objects(job) ?? [])
}

/** Where they will lie, for people. */
export function backupWheres({ state, driverOf }: EtcdWorld): string[] {
  const { backup } = state.spec
  if (!backup) return []
  return backupPlaces(state.spec).flatMap(member => driverOf(member).backups?.where(backup) ?? [])
}
