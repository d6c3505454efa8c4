import { createHash } from 'node:crypto'
import type { V1Container, V1Pod, V1PodSpec, V1PodTemplateSpec } from '@kubernetes/client-node'
import memberYaml from '../../../../manifests/etcd/member.yaml'
import { fromRegistry } from '../../../images.ts'
import { fillManifest, pick } from '../../../kube/manifest.ts'
import type { KubeObject, Wire } from '../../../kube/types.ts'
import type { KubernetesSpec } from '../../cluster.ts'
import type { Launch, MemberFiles, MemberPaths } from '../driver.ts'
import { annotation, labels, memberName } from './names.ts'

export type Pod = KubeObject & Wire<V1Pod>
export type PodSpec = Wire<V1PodSpec>
export type Template = Wire<V1PodTemplateSpec>
export type Container = Wire<V1Container>

export interface StatefulSet extends KubeObject {
  spec: { replicas?: number; selector: { matchLabels?: Record<string, string> }; template: Template }
  status?: { observedGeneration?: number }
}

export interface Secret extends KubeObject {
  data?: Record<string, string>
}

/** Whose objects. */
export interface Owner {
  cluster: string
  member: string
  driver: KubernetesSpec
  /** As `--image-registry`. */
  imageRegistry?: string | undefined
}

export const root = '/var/lib/etcd'
export const paths: MemberPaths = { data: generation => `${root}/generation-${generation}`, pki: '/etc/etcd/pki' }

/** The member's folder on its node. */
const hostFolder = (hostPath: string, { cluster, member }: Pick<Owner, 'cluster' | 'member'>): string =>
  `${hostPath.replace(/\/+$/, '')}/${cluster}/${member}`

const claimName = ({ cluster, member }: Owner, generation: number): string =>
  `${memberName(cluster, member)}-${generation}`

export function manifestOf({ cluster, member, driver }: Owner): KubeObject[] {
  const name = memberName(cluster, member)
  return fillManifest(memberYaml, {
    'etcd-sample-m1': name,
    'etcd-sample': `etcd-${cluster}`,
    'etcd-system': driver.namespace,
    sample: cluster,
    m1: member,
  })
}

export function secretOf(owner: Owner, files: MemberFiles): Secret {
  const secret = pick<Secret>(manifestOf(owner), 'Secret')
  secret.metadata.labels = labels('etcd', owner.cluster, owner.member)
  secret.data = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  )
  return secret
}

/** Shared by the cluster's members in this namespace. */
export function budgetOf(owner: Owner): KubeObject {
  const budget = pick(manifestOf(owner), 'PodDisruptionBudget')
  budget.metadata.labels = labels('etcd', owner.cluster)
  return budget
}

/** Undefined: the data lies in a folder of the node. */
export function claimOf(owner: Owner, generation: number): KubeObject | undefined {
  const { storage } = owner.driver
  if ('hostPath' in storage) return undefined
  const claim = pick<KubeObject & { spec: object }>(manifestOf(owner), 'PersistentVolumeClaim')
  claim.metadata.name = claimName(owner, generation)
  claim.metadata.labels = {
    ...labels('etcd', owner.cluster, owner.member),
    [annotation.generation]: String(generation),
  }
  claim.spec = {
    accessModes: ['ReadWriteOnce'],
    storageClassName: storage.storageClass,
    resources: { requests: { storage: storage.size } },
  }
  return claim
}

export interface Running {
  launch: Omit<Launch, 'bootstrapArgs' | 'member'>
  bootstrapArgs: string[]
  /** Undefined until the scheduler has chosen. */
  node: string | undefined
  replicas: 0 | 1
}

/** The StatefulSet of one. Pure. */
export function statefulSetOf(owner: Owner, { launch, bootstrapArgs, node, replicas }: Running): StatefulSet {
  const result = pick<StatefulSet>(manifestOf(owner), 'StatefulSet')
  const memberLabels = labels('etcd', owner.cluster, owner.member)
  result.metadata.labels = memberLabels
  result.spec.replicas = replicas
  const { template } = result.spec
  template.metadata = {
    labels: memberLabels,
    annotations: {
      [annotation.version]: launch.version,
      [annotation.generation]: String(launch.generation),
      [annotation.image]: launch.image,
    },
  }
  const spec = template.spec as PodSpec
  const etcd = containerOf(spec, 'etcd')
  etcd.image = fromRegistry(launch.image, owner.imageRegistry)
  etcd.args = [...launch.args, ...bootstrapArgs]
  etcd.ports = [
    { name: 'client', containerPort: portOf(launch.args, 'listen-client-urls') },
    { name: 'peer', containerPort: portOf(launch.args, 'listen-peer-urls') },
  ]
  const metrics = portOf(launch.args, 'listen-metrics-urls')
  for (const probe of [etcd.startupProbe, etcd.livenessProbe, etcd.readinessProbe]) {
    if (probe?.httpGet) probe.httpGet.port = metrics
  }
  placeOn(spec, node)
  storeIn(spec, owner, launch.generation)
  return result
}

/** The other way: what a pod or a StatefulSet runs. Undefined where it is none of ours. */
export function runningOf(template: Template): Pick<Running, 'launch' | 'bootstrapArgs'> | undefined {
  const { annotations = {} } = template.metadata ?? {}
  const etcd = template.spec?.containers.find(({ name }) => name === 'etcd')
  const [version, generation] = [annotations[annotation.version], Number(annotations[annotation.generation])]
  if (!etcd?.args || version === undefined || !Number.isInteger(generation)) return undefined
  const asked = annotations[annotation.image]
  const image = asked !== undefined && sameButRegistry(asked, etcd.image ?? '') ? asked : (etcd.image ?? '')
  return {
    launch: { version, generation, image, args: etcd.args.filter(arg => !isBootstrap(arg)) },
    bootstrapArgs: etcd.args.filter(isBootstrap),
  }
}

/** Not every flag of that beginning: `--initial-election-tick-advance` is read at each start. */
const isBootstrap = (arg: string): boolean =>
  /^--initial-(cluster|cluster-state|cluster-token|advertise-peer-urls)=/.test(arg)

/** The node that a template is pinned to. */
export function pinnedNode(template: Template): string | undefined {
  const terms =
    template.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.flatMap(({ matchFields = [] }) => matchFields).find(({ key }) => key === 'metadata.name')?.values?.[0]
}

function containerOf(spec: PodSpec, name: string): Container {
  const found = spec.containers.find(container => container.name === name)
  if (!found) throw new Error(`manifest has no container ${name}`)
  return found
}

/** By the node's name, as DaemonSets do it: its label may differ. */
export function placeOn(spec: PodSpec, node: string | undefined): void {
  if (node === undefined) return
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  spec.affinity = {
    ...spec.affinity,
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } },
  }
}

export function storeIn(spec: PodSpec, owner: Owner, generation: number): void {
  const data = spec.volumes?.find(({ name }) => name === 'data')
  if (!data) throw new Error('manifest has no volume data')
  const { storage } = owner.driver
  delete data.hostPath
  if ('hostPath' in storage) data.hostPath = { path: hostFolder(storage.hostPath, owner), type: 'Directory' }
  else data.persistentVolumeClaim = { claimName: claimName(owner, generation) }
}

const sameButRegistry = (one: string, other: string): boolean =>
  one.slice(one.indexOf('/')) === other.slice(-(one.length - one.indexOf('/')))

/** The port of a URL flag. */
export function portOf(args: string[], flag: string): number {
  const url = args.find(arg => arg.startsWith(`--${flag}=`))?.split('=')[1]
  const port = Number(url && /:(\d+)$/.exec(url)?.[1])
  if (!port) throw new Error(`etcd's command line lacks --${flag}`)
  return port
}

export const digestOf = (files: MemberFiles): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(files).sort()))
    .digest('hex')
    .slice(0, 12)
