import { createHash } from 'node:crypto'
import type { V1JobTemplateSpec } from '@kubernetes/client-node'
import backupYaml from '../../../../manifests/etcd/backup.yaml'
import { fromRegistry, ownImage } from '../../../images.ts'
import { fillManifest, pick } from '../../../kube/manifest.ts'
import type { KubeObject, Wire } from '../../../kube/types.ts'
import type { BackupJob } from '../driver.ts'
import { labels } from './names.ts'
import { type Owner, type PodSpec, placeOn, type Secret } from './objects.ts'

export interface CronJob extends KubeObject {
  spec: {
    schedule: string
    startingDeadlineSeconds?: number
    jobTemplate: Wire<V1JobTemplateSpec>
  }
  status?: { lastSuccessfulTime?: string }
}

const component = 'etcd-backup'
const secondMs = 1000

/** Jobs add eleven characters to it, and a label holds 63. It does not begin as members' names do: no member's Secret has it. */
export function backupName({ cluster, member }: Pick<Owner, 'cluster' | 'member'>): string {
  const name = `backup-${cluster}-${member}`
  if (name.length <= 52) return name
  const digest = createHash('sha256').update(`${cluster}/${member}`).digest('hex').slice(0, 8)
  return `${name.slice(0, 43)}-${digest}`
}

export const backupLabels = ({ cluster, member }: Owner): Record<string, string> => labels(component, cluster, member)

/** In the folder that was given each cluster has its own, so that what else is in there stays as it is. */
export const backupFolder = (directory: string, cluster: string): string =>
  `${directory.replace(/\/+$/, '')}/${cluster}`

/** The Secret and the CronJob, pinned to the node that the folder is on. Pure. */
export function backupObjects(owner: Owner, job: BackupJob, node: string | undefined): [Secret, CronJob] {
  const { cluster, member, driver } = owner
  const objects = fillManifest(backupYaml, {
    'backup-sample-m1': backupName(owner),
    'etcd-system': driver.namespace,
    sample: cluster,
    m1: member,
  })
  return [
    secretOf(pick<Secret>(objects, 'Secret'), owner, job),
    cronJobOf(pick<CronJob>(objects, 'CronJob'), owner, job, node),
  ]
}

function secretOf(secret: Secret, owner: Owner, { identity }: BackupJob): Secret {
  secret.metadata.labels = backupLabels(owner)
  const files = { 'ca.crt': identity.ca, 'tls.crt': identity.certificate, 'tls.key': identity.key }
  secret.data = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  )
  return secret
}

function cronJobOf(cronJob: CronJob, owner: Owner, job: BackupJob, node: string | undefined): CronJob {
  const ours = backupLabels(owner)
  cronJob.metadata.labels = ours
  const { spec } = cronJob
  spec.schedule = job.schedule.cron
  const halfGap = Math.floor(job.schedule.longestGapMs / secondMs / 2)
  spec.startingDeadlineSeconds = Math.min(halfGap, spec.startingDeadlineSeconds ?? halfGap)
  spec.jobTemplate.metadata = { labels: ours }
  const template = spec.jobTemplate.spec?.template
  const pod = template?.spec as PodSpec | undefined
  const [container] = pod?.containers ?? []
  if (!template || !pod || !container) throw new Error('the manifest has no container')
  template.metadata = { labels: ours }
  container.image = fromRegistry(ownImage(), owner.imageRegistry)
  container.args = argsOf(owner, job)
  const backups = pod.volumes?.find(({ name }) => name === 'backups')
  if (!backups) throw new Error('the manifest has no volume backups')
  delete backups.hostPath
  if (job.claim !== undefined) {
    backups.persistentVolumeClaim = { claimName: job.claim }
  } else {
    backups.hostPath = { path: backupFolder(job.directory, owner.cluster), type: 'Directory' }
    placeOn(pod, node)
  }
  return cronJob
}

const argsOf = ({ cluster }: Owner, { endpoints, keep }: BackupJob): string[] => [
  ...['etcd', 'snapshot', 'save', `--etcd=${cluster}`, `--endpoints=${endpoints.join(',')}`],
  ...['ca-file=/etc/etcd/pki/ca.crt', 'cert-file=/etc/etcd/pki/tls.crt', 'key-file=/etc/etcd/pki/tls.key'].map(
    flag => `--${flag}`,
  ),
  ...['--directory=/backup', `--keep=${keep}`],
]
