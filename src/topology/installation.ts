import type {
  V1DeploymentSpec,
  V1DeploymentStatus,
  V1PodSpec,
  V1PodStatus,
  V1ServiceSpec,
  V1ServiceStatus,
} from '@kubernetes/client-node'
import type { KubeObject, Wire } from '../kube/types.ts'
import type { Component, Installation, Installer } from './types.ts'
import { versionOfImage } from './version.ts'

export interface Pod extends KubeObject {
  spec: Wire<V1PodSpec>
  status?: Wire<V1PodStatus>
}
export interface Deployment extends KubeObject {
  spec: Wire<V1DeploymentSpec>
  status?: Wire<V1DeploymentStatus>
}
export interface Service extends KubeObject {
  spec: Wire<V1ServiceSpec>
  status?: Wire<V1ServiceStatus>
}

/** What one namespace of a would-be host holds. `pods`: those of the API servers suffice. */
export interface NamespaceContents {
  namespace: string
  deployments: Deployment[]
  services: Service[]
  pods: Pod[]
}

const aggregated = 'karmada-aggregated-apiserver'

/** The Karmada control planes in a namespace: mostly one; the operator can put several side by side. Pure. */
export function installationsIn(contents: NamespaceContents): Installation[] {
  const { deployments } = contents
  const prefixes = new Set<string>()
  for (const deployment of deployments) {
    const { name } = deployment.metadata
    if (runs(deployment) === aggregated) prefixes.add(name.replace(/-?aggregated-apiserver$/, ''))
    // An installation whose aggregated API server is gone is still one; other tools run kube-apiserver in pods, too.
    else if (runs(deployment) === 'kube-apiserver' && /karmada.*-apiserver$/.test(name))
      prefixes.add(name.replace(/-apiserver$/, ''))
  }
  const longestFirst = [...prefixes].sort((a, b) => b.length - a.length)
  const owner = (name: string) =>
    prefixes.size === 1 ? longestFirst[0] : longestFirst.find(prefix => name.startsWith(`${prefix}-`))
  return [...prefixes]
    .sort()
    .map(prefix =>
      installation(prefix, { ...contents, deployments: deployments.filter(d => owner(d.metadata.name) === prefix) }),
    )
}

function installation(prefix: string, { namespace, deployments, services, pods }: NamespaceContents): Installation {
  const components = deployments.map(component)
  const apiServer = deployments.find(d => runs(d) === 'kube-apiserver')
  const apiServerPods = apiServer === undefined ? [] : pods.filter(pod => belongsTo(pod, apiServer))
  const front = apiServer === undefined ? [] : services.filter(service => selects(service, apiServer))
  return {
    namespace,
    prefix,
    installedBy: installer(deployments, apiServer),
    karmadaVersion: karmadaVersion(components),
    components,
    apiServers: apiServerPods.filter(pod => !pod.spec.hostNetwork).map(hostname),
    endpoints: [
      ...new Set([...front.flatMap(serviceEndpoints), ...apiServerPods.flatMap(pod => podEndpoints(pod, front))]),
    ],
    nodePorts: front.flatMap(nodePorts),
    certificateSecrets: certificateSecrets(apiServer),
    fingerprints: [],
  }
}

function component(deployment: Deployment): Component {
  return {
    component: runs(deployment),
    deployment: deployment.metadata.name,
    image: containerOf(deployment)?.image ?? '',
    podLabels: deployment.spec.template.metadata?.labels ?? {},
  }
}

const containerOf = (deployment: Deployment) => deployment.spec.template.spec?.containers[0]

/** The program's name, from the command (every installer writes one), else from the image. */
function runs(deployment: Deployment): string {
  const container = containerOf(deployment)
  const program = container?.command?.[0] ?? container?.image?.split('@')[0]?.replace(/:[^/]*$/, '') ?? ''
  return program.split('/').at(-1) ?? ''
}

function installer(deployments: Deployment[], apiServer: Deployment | undefined): Installer {
  const labelled = (key: string, value?: string) =>
    deployments.some(({ metadata: { labels } }) =>
      value === undefined ? labels?.[key] !== undefined : labels?.[key] === value,
    )
  if (labelled('karmada.io/bootstrapping')) return 'karmadactl'
  if (labelled('app.kubernetes.io/managed-by', 'karmada-operator')) return 'operator'
  if (labelled('app.kubernetes.io/managed-by', 'Helm')) return 'helm'
  // Helm's labels are missing after `helm template | kubectl apply`; then the chart shows by where it mounts its keys.
  const mounts = containerOf(apiServer ?? deployments[0] ?? emptyDeployment)?.volumeMounts ?? []
  if (mounts.some(mount => mount.name === 'apiserver-cert' && mount.mountPath === '/etc/kubernetes/pki')) return 'helm'
  if (certificateSecrets(apiServer).some(name => name === 'karmada-apiserver-cert' || name === 'karmada-cert-secret'))
    return 'hack script'
  return 'unknown'
}

const emptyDeployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: '' },
  spec: { selector: {}, template: {} },
}

function karmadaVersion(components: Component[]): string | undefined {
  const order = [aggregated, 'karmada-controller-manager', 'karmada-scheduler', 'karmada-webhook']
  const images = order.flatMap(name => components.filter(c => c.component === name).map(c => c.image))
  return images.map(versionOfImage).find(version => version !== undefined)
}

/** A pod of a Deployment is owned by its ReplicaSet, `<deployment>-<hash>`. */
function belongsTo(pod: Pod, deployment: Deployment): boolean {
  if (pod.metadata.namespace !== deployment.metadata.namespace) return false
  const set = pod.metadata.ownerReferences?.find(owner => owner.kind === 'ReplicaSet')?.name ?? ''
  return set.replace(/-[^-]+$/, '') === deployment.metadata.name
}

function selects(service: Service, deployment: Deployment): boolean {
  const labels = deployment.spec.template.metadata?.labels ?? {}
  const selector = Object.entries(service.spec.selector ?? {})
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value)
}

/** The kernel cuts host names at 63 bytes, and so does the kubelet. */
const hostname = (pod: Pod): string => (pod.spec.hostname ?? pod.metadata.name).slice(0, 63)

function serviceEndpoints(service: Service): string[] {
  const { spec, status, metadata } = service
  const hosts = [
    ...(spec.clusterIPs ?? []).filter(ip => ip !== 'None'),
    ...(spec.externalIPs ?? []),
    ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => [ip, hostname]),
    ...['', '.svc', '.svc.cluster.local'].map(suffix => `${metadata.name}.${metadata.namespace}${suffix}`),
  ].filter(host => host !== undefined)
  return hosts.flatMap(host => (spec.ports ?? []).map(({ port }) => endpoint(host, port)))
}

function podEndpoints(pod: Pod, services: Service[]): string[] {
  const ports = pod.spec.containers.flatMap(container => [
    ...(container.ports ?? []).map(({ containerPort }) => containerPort),
    ...(container.command ?? []).flatMap(flag => /^--secure-port=(\d+)$/.exec(flag)?.[1] ?? []).map(Number),
  ])
  const own = pod.status?.podIP === undefined ? [] : ports.map(port => endpoint(pod.status?.podIP ?? '', port))
  const { hostIP } = pod.status ?? {}
  return hostIP === undefined ? own : [...own, ...services.flatMap(nodePorts).map(port => endpoint(hostIP, port))]
}

const nodePorts = (service: Service): number[] =>
  (service.spec.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []))

/** `host:port` as URL.host writes it: IPv6 in brackets, lower case. */
export const endpoint = (host: string, port: number): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`.toLowerCase()

const certificateSecrets = (apiServer: Deployment | undefined): string[] => [
  ...new Set((apiServer?.spec.template.spec?.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? [])),
]
