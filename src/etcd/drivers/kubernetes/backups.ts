import type { V1Job } from '@kubernetes/client-node'
import { UserError } from '../../../errors.ts'
import { isForbidden } from '../../../kube/errors.ts'
import type { KubeObject, ObjectRef, Wire } from '../../../kube/types.ts'
import { podTrouble, waitForList } from '../../../kube/wait.ts'
import type { BackupDriver, BackupFound, BackupJob } from '../driver.ts'
import { backupFolder, backupLabels, backupName, backupObjects, type CronJob } from './backup-objects.ts'
import { inFolder } from './helper.ts'
import { carries } from './names.ts'
import { ensureNamespace } from './namespace.ts'
import { type Pod, pinnedNode } from './objects.ts'
import { findPod, findStatefulSet, type Site, waiting } from './world.ts'

/** Its image is there and its pod runs after that, as a rule. Milliseconds. */
const stuckAfterMs = 60_000

type Job = KubeObject & Wire<V1Job>

/** Backups of one member's site, by a CronJob in its cluster. */
export const createBackups = (site: Site): BackupDriver => {
  const { cluster, driver } = site.owner
  return {
    where: ({ directory, claim }) =>
      `context ${driver.context}, ${claim === undefined ? `folder ${backupFolder(directory, cluster)}` : `claim ${claim}`}`,
    objects: job =>
      backupObjects(site.owner, job, driver.node).map(object => ({ where: `context ${driver.context}`, object })),
    ensure: job => ensure(site, job),
    inspect: () => inspect(site),
    remove: () => remove(site),
  }
}

const refOf = ({ owner }: Site, kind: 'CronJob' | 'Secret'): ObjectRef => ({
  apiVersion: kind === 'CronJob' ? 'batch/v1' : 'v1',
  kind,
  namespace: owner.driver.namespace,
  name: backupName(owner),
})

const selectorOf = ({ owner }: Site): string =>
  Object.entries(backupLabels(owner))
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

async function ensure(site: Site, job: BackupJob): Promise<boolean> {
  const { client, owner, signal } = site
  const { cluster, driver } = owner
  await ensureNamespace(client, driver.namespace, waiting(site))
  for (const kind of ['CronJob', 'Secret'] as const) {
    const found = await client.find(refOf(site, kind), { signal })
    if (found && !carries(found, backupLabels(owner))) {
      throw new UserError(
        `${kind} ${driver.namespace}/${backupName(owner)} was not made by this plugin for backups of ${cluster}`,
      )
    }
  }
  const before = await findOurs<CronJob>(site, 'CronJob')
  if (job.claim !== undefined) await requireClaim(site, job.claim)
  const node = await nodeOf(site)
  const objects = backupObjects(owner, job, node)
  // One that failed, or does not come to its end, may have lost its folder.
  const sound =
    folderOf(before) === folderOf(objects[1]) && (await jobsOf(site)).every(job => hasEnded(job, 'Complete'))
  if (job.claim === undefined && !sound) await makeFolder(site, job.directory)
  const outcomes: string[] = []
  for (const object of objects) outcomes.push((await client.apply<KubeObject>(object, { signal })).outcome)
  return outcomes.some(outcome => outcome !== 'unchanged')
}

/** And its node: on another one there is none yet. */
const folderOf = (cronJob: CronJob | undefined): string | undefined => {
  const template = cronJob?.spec.jobTemplate.spec?.template
  const path = template?.spec?.volumes?.find(({ name }) => name === 'backups')?.hostPath?.path
  return template && path && `${pinnedNode(template)}:${path}`
}

/** Where the member runs: its machine is known to be one that keeps data. */
async function nodeOf(site: Site): Promise<string | undefined> {
  const [pod, existing] = await Promise.all([findPod(site), findStatefulSet(site)])
  return pod?.spec?.nodeName ?? (existing && pinnedNode(existing.spec.template)) ?? site.owner.driver.node
}

/** Folders of a node are root's; the job is given one of them. */
async function makeFolder(site: Site, directory: string): Promise<void> {
  const { cluster } = site.owner
  const script = 'mkdir -p "/data/$1" && chown 65532:65532 "/data/$1" && chmod 700 "/data/$1"'
  const made = await inFolder(site, directory, ['sh', '-c', script, 'sh', cluster])
  if (!made) throw new UserError(`no node is known for member ${site.owner.member}, which has not run yet`)
}

async function requireClaim({ client, owner, signal }: Site, name: string): Promise<void> {
  const { namespace, context } = owner.driver
  const ref = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name }
  if (await client.find(ref, { signal })) return
  throw new UserError(`there is no PersistentVolumeClaim ${namespace}/${name} in context ${context}`, {
    hint: `each cluster that takes backups needs one: kubectl --context ${context} -n ${namespace} get pvc`,
  })
}

/** The object if it is ours; who may not look has none of ours. */
async function findOurs<T extends KubeObject>(site: Site, kind: 'CronJob' | 'Secret'): Promise<T | undefined> {
  try {
    const found = await site.client.find<T>(refOf(site, kind), { signal: site.signal })
    return found && carries(found, backupLabels(site.owner)) ? found : undefined
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

const jobsOf = (site: Site): Promise<Job[]> => {
  const { namespace } = site.owner.driver
  const ref = { apiVersion: 'batch/v1', kind: 'Job', namespace, labelSelector: selectorOf(site) }
  return site.client.list<Job>(ref, { signal: site.signal })
}

async function inspect(site: Site): Promise<BackupFound | undefined> {
  const { client, owner } = site
  const cronJob = await findOurs<CronJob>(site, 'CronJob')
  if (!cronJob) return undefined
  const { namespace, context } = owner.driver
  const jobs = await jobsOf(site)
  const last = lastEnded(jobs)
  const newest = newestOf(cronJob, jobs)
  const kubectl = `kubectl --context ${context} -n ${namespace}`
  const { name } = cronJob.metadata
  const found = { newest, next: `${kubectl} create job --from=cronjob/${name} ${name}-$(date +%s)` }
  const stuck = jobs.find(job => !isOver(job) && Date.now() - begun(job) > stuckAfterMs)
  const trouble = stuck && (await podTrouble(client, namespace, podsOf(stuck)))
  if (trouble) return { ...found, failed: { why: lastOf(trouble), next: `${kubectl} get events` } }
  if (!last || !hasEnded(last, 'Failed')) return found
  const failed = { why: await whyFailed(site, last), next: `${kubectl} logs job/${last.metadata.name}` }
  return { ...found, failed }
}

const hasEnded = ({ status }: Job, how: 'Complete' | 'Failed'): boolean =>
  status?.conditions?.some(({ type, status }) => type === how && status === 'True') ?? false

/** Of those that have ended, the one that began last. Pure. */
export const lastEnded = (jobs: readonly Job[]): Job | undefined =>
  jobs.filter(isOver).toSorted((a, b) => begun(b) - begun(a))[0]

const isOver = (job: Job): boolean => hasEnded(job, 'Complete') || hasEnded(job, 'Failed')

/** The last event says most. */
const lastOf = (trouble: string): string => (trouble.split('\n').at(-1) ?? '').replace(/^\s*event: /, '')

const begun = ({ status, metadata }: Job): number => Date.parse(status?.startTime ?? metadata.creationTimestamp ?? '')

/** Jobs are removed in time, and what the CronJob remembers is some seconds late. Pure. */
export function newestOf({ status }: CronJob, jobs: readonly Job[]): Date | undefined {
  const times = [status?.lastSuccessfulTime, ...jobs.map(job => job.status?.completionTime)]
  const newest = Math.max(...times.flatMap(time => (time === undefined ? [] : [Date.parse(time)])))
  return Number.isFinite(newest) ? new Date(newest) : undefined
}

const podsOf = ({ metadata }: Job): string => `batch.kubernetes.io/job-name=${metadata.name}`

/** The line that its last pod ended with, else what Kubernetes says. */
async function whyFailed(site: Site, job: Job): Promise<string> {
  const { client, owner, signal } = site
  const { namespace } = owner.driver
  const labelSelector = podsOf(job)
  const pods = await client.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector }, { signal })
  const last = pods.toSorted((a, b) => created(b) - created(a))[0]
  const path = `/api/v1/namespaces/${namespace}/pods/${last?.metadata.name}/log`
  const answer = last && (await client.raw(path, { query: { tailLines: '50' }, signal }))
  const said = answer?.status === 200 ? /^error: (.*?):?$/im.exec(answer.text)?.[1] : undefined
  const condition = job.status?.conditions?.find(({ type }) => type === 'Failed')
  return said ?? condition?.message ?? 'its Job failed'
}

const created = ({ metadata }: KubeObject): number => Date.parse(metadata.creationTimestamp ?? '')

/** Pods that are at it are ended; nothing is left of a snapshot that they had begun, or it is removed by the next. */
async function remove(site: Site): Promise<boolean> {
  const { client, owner, signal } = site
  let removed = false
  for (const kind of ['CronJob', 'Secret'] as const) {
    if (await findOurs(site, kind)) removed = (await client.delete(refOf(site, kind), { signal })) || removed
  }
  if (!removed) return false
  await waitForList(
    client,
    { apiVersion: 'v1', kind: 'Pod', namespace: owner.driver.namespace, labelSelector: selectorOf(site) },
    pods => pods.length === 0 || 'pods of its last backups are still there',
    waiting(site),
  )
  return true
}
