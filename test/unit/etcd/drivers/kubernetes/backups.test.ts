import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../../../../src/etcd/backup/schedule.ts'
import type { BackupJob } from '../../../../../src/etcd/drivers/driver.ts'
import { backupName, backupObjects, type CronJob } from '../../../../../src/etcd/drivers/kubernetes/backup-objects.ts'
import { lastEnded, newestOf } from '../../../../../src/etcd/drivers/kubernetes/backups.ts'
import type { Owner } from '../../../../../src/etcd/drivers/kubernetes/objects.ts'

const owner: Owner = {
  cluster: 'blue',
  member: 'a',
  driver: { kind: 'kubernetes', context: 'hub', namespace: 'etcd-here', storage: { hostPath: '/srv/etcd' } },
}
const job = (more: Partial<BackupJob> = {}): BackupJob => ({
  schedule: parseSchedule('6h'),
  keep: 7,
  directory: '/backup/',
  endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'],
  identity: { ca: 'authority', certificate: 'leaf', key: 'the key itself' },
  ...more,
})
const podOf = (cronJob: CronJob) => cronJob.spec.jobTemplate.spec?.template.spec

describe('what is applied', () => {
  test('names nothing of the sample, and the key stands in the Secret alone', () => {
    const [secret, cronJob] = backupObjects(owner, job(), 'n1')
    expect(JSON.stringify([secret, cronJob])).not.toMatch(/sample|etcd-system|m1/)
    expect(JSON.stringify(cronJob)).not.toContain('the key itself')
    expect(Object.values(secret.data ?? {}).map(text => Buffer.from(text, 'base64').toString())).toEqual([
      'authority',
      'leaf',
      'the key itself',
    ])
  })

  test('runs the plugin with all that it needs, on the node that has the folder', () => {
    const [, cronJob] = backupObjects(owner, job(), 'n1')
    const pod = podOf(cronJob)
    expect(cronJob.spec).toMatchObject({ schedule: '0 */6 * * *', startingDeadlineSeconds: 3600 })
    expect(pod?.containers[0]?.args).toEqual(
      expect.arrayContaining(['--etcd=blue', '--endpoints=https://10.0.0.1:2379,https://10.0.0.2:2379', '--keep=7']),
    )
    expect(pod?.volumes).toContainEqual({ name: 'backups', hostPath: { path: '/backup/blue', type: 'Directory' } })
    expect(JSON.stringify(pod?.affinity)).toContain('"n1"')
  })

  test('into a claim, wherever that is', () => {
    const pod = podOf(backupObjects(owner, job({ claim: 'backups' }), 'n1')[1])
    expect(pod?.volumes).toContainEqual({ name: 'backups', persistentVolumeClaim: { claimName: 'backups' } })
    expect(pod?.affinity).toBeUndefined()
  })

  test('one that was missed counts no longer than until the next is near', () => {
    const [, cronJob] = backupObjects(owner, job({ schedule: parseSchedule('10m') }), 'n1')
    expect(cronJob.spec.startingDeadlineSeconds).toBe(300)
  })

  test('comes from another registry where that is wanted', () => {
    const [, cronJob] = backupObjects({ ...owner, imageRegistry: 'mirror.local/proxy' }, job(), 'n1')
    expect(podOf(cronJob)?.containers[0]?.image).toMatch(/^mirror\.local\/proxy\/.*:v/)
  })

  test('a name leaves room for what Jobs add', () => {
    const long = { cluster: 'a'.repeat(40), member: 'b'.repeat(40) }
    expect(backupName(long)).toHaveLength(52)
    expect(backupName({ ...long, member: 'c'.repeat(40) })).not.toBe(backupName(long))
  })
})

describe('what became of it', () => {
  const ended = (name: string, type: string, startTime: string, completionTime?: string) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    status: { startTime, conditions: [{ type, status: 'True' }], ...(completionTime && { completionTime }) },
  })
  const jobs = [
    ended('late', 'Failed', '2026-11-21T12:00:00Z'),
    ended('early', 'Complete', '2026-11-21T06:00:00Z', '2026-11-21T06:00:09Z'),
    { ...ended('running', '', '2026-11-21T18:00:00Z'), status: { startTime: '2026-11-21T18:00:00Z' } },
  ]
  const cronJob = (status?: CronJob['status']): CronJob => ({
    ...backupObjects(owner, job(), 'n1')[1],
    ...(status && { status }),
  })

  test('the last that has ended counts, not the one that runs', () => {
    expect(lastEnded(jobs)?.metadata.name).toBe('late')
    expect(lastEnded(jobs.slice(1))?.metadata.name).toBe('early')
    expect(lastEnded([])).toBeUndefined()
  })

  test('the newest is of a Job, or of one that is gone', () => {
    expect(newestOf(cronJob(), jobs)).toEqual(new Date('2026-11-21T06:00:09Z'))
    expect(newestOf(cronJob({ lastSuccessfulTime: '2026-11-21T07:00:00Z' }), jobs)).toEqual(
      new Date('2026-11-21T07:00:00Z'),
    )
    expect(newestOf(cronJob(), [])).toBeUndefined()
  })
})
