import { createHash } from 'node:crypto'
import type { V1Container, V1PodSpec, V1PodTemplateSpec } from '@kubernetes/client-node'
import daemonSetYaml from '../../manifests/vip/daemonset.yaml'
import { fromRegistry, ownImage } from '../images.ts'
import { parseManifest, pick } from '../kube/manifest.ts'
import type { KubeObject, Wire } from '../kube/types.ts'
import type { Endpoint } from './address.ts'
import { labels, name, settingsKey, stageLabel } from './names.ts'
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

/** What was asked for beside the settings: a later run goes by it. */
export interface Asked {
  /** The nodes that it is for; none: all that run Linux. */
  nodes: readonly NodeRequirement[]
  /** Replaces our own image. */
  image?: string | undefined
  /** Replaces the registry of our own image. */
  imageRegistry?: string | undefined
}

export interface ObjectSettings {
  settings: VipSettings
  asked: Asked
}

const askedAnnotation = 'karmada-net.io/vip-asked'

export const imageOf = ({ image, imageRegistry }: Asked): string => image ?? fromRegistry(ownImage(), imageRegistry)

/** Everything on the cluster, in the order in which it is applied; the DaemonSet comes last. Pure. */
export function vipObjects({ settings, asked }: ObjectSettings): KubeObject[] {
  const objects = manifest().filter(({ kind }) => kind !== 'Pod')
  for (const object of objects) object.metadata.labels = { ...object.metadata.labels, ...labels('vip') }
  const config = pick<ConfigMap>(objects, 'ConfigMap')
  config.metadata.annotations = { [askedAnnotation]: JSON.stringify(asked) }
  config.data = { [settingsKey]: `${JSON.stringify(settings, undefined, 2)}\n` }
  const daemonSet = pick<DaemonSet>(objects, 'DaemonSet')
  const spec = podSpecOf(daemonSet)
  for (const container of containersOf(spec)) container.image = imageOf(asked)
  const port = spec.containers[0]?.ports?.find(({ name }) => name === 'status')
  if (!port) throw new Error('manifest has no port status')
  port.containerPort = settings.statusPort
  termOf(spec).matchExpressions?.push(...asked.nodes)
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
  // The name as DaemonSets themselves write it, as a label may differ.
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }
  pod.spec.affinity = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
  }
  return pod
}

/** A node's name may be longer than a pod's may become. */
const uninstallName = (node: string): string =>
  `${name}-uninstall-${createHash('sha256').update(node).digest('hex').slice(0, 10)}`

/** As the ConfigMap has it, which is there longest. Undefined: it is none of ours. */
export function askedOf({ metadata }: ConfigMap): Asked | undefined {
  const text = metadata.annotations?.[askedAnnotation]
  return text === undefined ? undefined : (JSON.parse(text) as Asked)
}

/** The nodes that the agents are for by now, whatever was asked for since. Pure. */
export const selectionOf = (daemonSet: DaemonSet): NodeRequirement[] =>
  (termOf(podSpecOf(daemonSet)).matchExpressions ?? []).filter(({ key }) => key !== stageLabel) as NodeRequirement[]

/** There is one, and in it everything. */
function termOf({ affinity }: PodSpec) {
  const [term] = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (!term) throw new Error('a DaemonSet for no nodes')
  return term
}

const manifest = (): KubeObject[] => parseManifest(daemonSetYaml)

const containersOf = ({ initContainers = [], containers }: PodSpec): Container[] => [...initContainers, ...containers]

export function podSpecOf({ spec }: DaemonSet): PodSpec {
  if (!spec.template.spec) throw new Error('a DaemonSet without a pod')
  return spec.template.spec
}
