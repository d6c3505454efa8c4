import { createHash } from 'node:crypto'
import type { V1Container, V1PodSpec, V1PodTemplateSpec } from '@kubernetes/client-node'
import daemonSetYaml from '../../manifests/vip/daemonset.yaml'
import { parseManifest, pick } from '../kube/manifest.ts'
import type { KubeObject, Wire } from '../kube/types.ts'
import type { Endpoint } from './address.ts'
import { labels, name, settingsKey } from './names.ts'
import type { NodeRequirement } from './selector.ts'
import type { VipSettings } from './settings.ts'

type PodSpec = Wire<V1PodSpec>
type Container = Wire<V1Container>

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

export interface DaemonSet extends KubeObject {
  spec: { template: Wire<V1PodTemplateSpec> }
  status?: {
    observedGeneration?: number
    desiredNumberScheduled?: number
    updatedNumberScheduled?: number
    numberReady?: number
    numberMisscheduled?: number
  }
}

export interface Pod extends KubeObject {
  spec: PodSpec
}

export interface ObjectSettings {
  settings: VipSettings
  /** The nodes that it is for; none: all that run Linux. */
  nodes: readonly NodeRequirement[]
  /** The one node that it begins with. */
  onlyOn?: string | undefined
  image: string
}

const annotation = {
  /** The nodes as they were asked for: what a later run goes by. */
  nodes: 'karmada-net.io/vip-nodes',
} as const

/** Everything on the cluster, in the order in which it is applied; the DaemonSet comes last. Pure. */
export function vipObjects({ settings, nodes, onlyOn, image }: ObjectSettings): KubeObject[] {
  const objects = manifest().filter(({ kind }) => kind !== 'Pod')
  for (const object of objects) object.metadata.labels = { ...object.metadata.labels, ...labels('vip') }
  pick<ConfigMap>(objects, 'ConfigMap').data = { [settingsKey]: `${JSON.stringify(settings, undefined, 2)}\n` }
  const daemonSet = pick<DaemonSet>(objects, 'DaemonSet')
  daemonSet.metadata.annotations = { [annotation.nodes]: JSON.stringify(nodes) }
  const spec = podSpecOf(daemonSet)
  for (const container of containersOf(spec)) container.image = image
  const port = spec.containers[0]?.ports?.find(({ name }) => name === 'status')
  if (!port) throw new Error('manifest has no port status')
  port.containerPort = settings.statusPort
  placeOn(spec, nodes, onlyOn)
  return objects
}

export interface UninstallSettings {
  vip: Endpoint
  node: string
  image: string
}

/** What takes everything back on one node. Pure. */
export function uninstallPod({ vip, node, image }: UninstallSettings): Pod {
  const pod = pick<Pod>(manifest(), 'Pod')
  pod.metadata.name = uninstallName(node)
  pod.metadata.labels = { ...pod.metadata.labels, ...labels('vip-uninstall') }
  const [container] = pod.spec.containers
  if (!container) throw new Error('manifest has no container to uninstall with')
  container.image = image
  container.args = ['--root=/host', `--vip=${vip.host}`, `--port=${vip.port}`]
  placeOn(pod.spec, [], node)
  return pod
}

/** A node's name may be longer than a pod's may become. */
const uninstallName = (node: string): string =>
  `${name}-uninstall-${createHash('sha256').update(node).digest('hex').slice(0, 10)}`

/** The nodes that an installation was asked to be for; undefined: it is none of ours. */
export function nodesOf({ metadata }: KubeObject): NodeRequirement[] | undefined {
  const text = metadata.annotations?.[annotation.nodes]
  return text === undefined ? undefined : (JSON.parse(text) as NodeRequirement[])
}

export const imageOf = (daemonSet: DaemonSet): string | undefined => podSpecOf(daemonSet).containers[0]?.image

/** The node that an installation has not gone beyond yet; undefined: it is on all its nodes. */
export const canaryOf = (daemonSet: DaemonSet): string | undefined =>
  podSpecOf(daemonSet)
    .affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.flatMap(
      ({ matchFields = [] }) => matchFields,
    )
    .find(({ key }) => key === 'metadata.name')?.values?.[0]

/** One of its terms, and in it everything: the name as DaemonSets themselves write it, as a label may differ. */
function placeOn(spec: PodSpec, nodes: readonly NodeRequirement[], onlyOn: string | undefined): void {
  if (nodes.length === 0 && onlyOn === undefined) return
  const term = {
    ...(nodes.length > 0 && { matchExpressions: [...nodes] }),
    ...(onlyOn !== undefined && { matchFields: [{ key: 'metadata.name', operator: 'In', values: [onlyOn] }] }),
  }
  spec.affinity = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
  }
}

const manifest = (): KubeObject[] => parseManifest(daemonSetYaml)

const containersOf = ({ initContainers = [], containers }: PodSpec): Container[] => [...initContainers, ...containers]

function podSpecOf({ spec }: DaemonSet): PodSpec {
  if (!spec.template.spec) throw new Error('a DaemonSet without a pod')
  return spec.template.spec
}
