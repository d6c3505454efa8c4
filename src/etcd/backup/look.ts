import { access } from 'node:fs/promises'
import type { BackupFacts } from '../findings.ts'
import { newestSnapshot } from '../snapshot/list.ts'
import type { EtcdWorld } from '../world.ts'
import { backupPlaces } from './plan.ts'
import { parseSchedule } from './schedule.ts'

/** Undefined where backups are not wanted, or lie where nothing can be seen of them. */
export async function lookAtBackups(world: EtcdWorld): Promise<BackupFacts | undefined> {
  const { spec } = world.state
  if (!spec.backup) return undefined
  const { directory, schedule } = spec.backup
  const overdueAfterMs = 2 * parseSchedule(schedule).longestGapMs
  if (backupPlaces(spec).length > 0) return { ...(await beside(world)), overdueAfterMs }
  const here = await access(directory).then(
    () => true,
    () => false,
  )
  if (!here) return undefined
  return { newest: await newestSnapshot(directory, spec.name), where: directory, overdueAfterMs }
}

/** A cluster that does not answer tells nothing of its backups; that its member is silent is said elsewhere. */
async function beside({ state, driverOf }: EtcdWorld): Promise<BackupFacts> {
  const asked = backupPlaces(state.spec).map(async member => {
    const { backups } = driverOf(member)
    const context = member.driver.kind === 'kubernetes' ? member.driver.context : member.name
    return backups
      ? backups.inspect().then(
          found => [{ context, found }],
          () => [],
        )
      : []
  })
  const sites = (await Promise.all(asked)).flat()
  const times = sites.flatMap(({ found }) => (found?.newest ? [+found.newest] : []))
  return { sites, ...(times.length > 0 && { newest: new Date(Math.max(...times)) }) }
}
