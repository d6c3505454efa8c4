import { pick } from '../kube/manifest.ts'
import type { KubeObject } from '../kube/types.ts'
import type { TunnelCertificates } from './certificates.ts'
import { annotatePods, container, hash, loadManifest, rewriteImages, setArg, type Workload } from './manifests.ts'
import { agentName, authorityName, configHash, gatewayName, labels, serverName } from './names.ts'
import { hostRecordOf, recordOf } from './record.ts'
import { type HostSettings, hostPort, type TunnelSettings } from './settings.ts'

interface ConfigMap extends KubeObject {
  data: Record<string, string>
}

interface Secret extends KubeObject {
  type: string
  data: Record<string, string>
}

interface NetworkPolicy extends KubeObject {
  spec: { ingress: { from?: { podSelector: object }[]; ports: { port: number }[] }[] }
}

interface Service extends KubeObject {
  spec: { type?: string; ports: { nodePort?: number }[] }
}

/** The gateway that all members of a plane share, on the host cluster. */
export function gatewayObjects(settings: HostSettings, nodePort: number): KubeObject[] {
  const objects = loadManifest('gateway', hostPlaceholders(settings))
  const deployment = pick<Workload>(objects, 'Deployment')
  deployment.metadata.annotations = hostRecordOf(settings)
  deployment.spec.replicas = settings.replicas
  annotatePods(deployment, { [configHash]: hash(pick<ConfigMap>(objects, 'ConfigMap').data) })
  rewriteImages(deployment, settings.imageRegistry)
  const service = pick<Service>(objects, 'Service')
  const [agentsPort] = service.spec.ports
  if (agentsPort && settings.expose === 'nodeport') agentsPort.nodePort = nodePort
  if (settings.expose === 'loadbalancer') service.spec.type = 'LoadBalancer'
  if (settings.expose === 'hostport') {
    service.spec.type = 'ClusterIP'
    const port = container(deployment, 'haproxy').ports?.find(({ name }) => name === 'agents')
    if (port) port.hostPort = port.containerPort
    // Two pods cannot hold the same port of a node, so none can start before another went.
    deployment.spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }
  }
  return finish(objects, gatewayName, 'karmada', settings)
}

/** Pods that may use the tunnel, as label sets (Karmada's components that talk to members). */
export type Admitted = Record<string, string>[]

/** One member's keys on the host cluster: those that proxy-server mounts, and those that only `anp` reads. */
export function secretObjects(settings: TunnelSettings, { authority, server, agent }: TunnelCertificates): Secret[] {
  const { member, namespace } = settings
  const kept = secret(authorityName(member), namespace, {
    'ca.crt': authority.certificate,
    'ca.key': authority.key,
    'agent.crt': agent.certificate,
    'agent.key': agent.key,
  })
  const served = secret(serverName(member), namespace, {
    'ca.crt': authority.certificate,
    'tls.crt': server.certificate,
    'tls.key': server.key,
  })
  return finish([kept, served], 'anp-server', member, settings)
}

/** What runs for one member on the host cluster. */
export function serverObjects(
  settings: TunnelSettings,
  certificates: TunnelCertificates,
  admitted: Admitted,
): KubeObject[] {
  const { member, replicas } = settings
  const objects = loadManifest('server', { ...hostPlaceholders(settings), member1: member })
  const config = pick<ConfigMap>(objects, 'ConfigMap')
  for (const [file, text] of Object.entries(config.data)) {
    config.data[file] = text
      .replaceAll('kubernetes.default.svc:443', hostPort(settings.apiServer))
      .replace('server-template peer 3', `server-template peer ${replicas + 1}`)
  }
  const policy = pick<NetworkPolicy>(objects, 'NetworkPolicy')
  const karmada = policy.spec.ingress[0]
  if (karmada) karmada.from = admitted.map(matchLabels => ({ podSelector: { matchLabels } }))

  const deployment = pick<Workload>(objects, 'Deployment')
  deployment.metadata.annotations = recordOf(settings)
  deployment.spec.replicas = replicas
  setArg(container(deployment, 'proxy-server'), '--server-count', replicas)
  annotatePods(deployment, { [configHash]: hash([config.data, secretObjects(settings, certificates)[1]?.data]) })
  rewriteImages(deployment, settings.imageRegistry)
  return finish(objects, 'anp-server', member, settings)
}

/** The agent's objects, to be applied in the member. */
export function agentObjects(settings: TunnelSettings, { authority, agent }: TunnelCertificates): KubeObject[] {
  const { member, gateway, memberNamespace, replicas } = settings
  const objects = loadManifest('agent', { 'karmada-system': memberNamespace, member1: member })
  const certs = secret(agentName, memberNamespace, {
    'ca.crt': authority.certificate,
    'tls.crt': agent.certificate,
    'tls.key': agent.key,
  })
  const deployment = pick<Workload>(objects, 'Deployment')
  deployment.spec.replicas = replicas
  const target = container(deployment, 'proxy-agent')
  setArg(target, '--proxy-server-host', gateway.host)
  setArg(target, '--proxy-server-port', gateway.port)
  setArg(target, '--agent-identifiers', `host=${settings.apiServer.host}`)
  annotatePods(deployment, { [configHash]: hash(certs.data) })
  rewriteImages(deployment, settings.imageRegistry)
  return finish([certs, ...objects], agentName, member, settings)
}

const hostPlaceholders = ({ namespace, clusterDomain }: HostSettings) => ({
  'karmada-system': namespace,
  'cluster.local': clusterDomain,
})

/** Labels every object; a disruption budget makes sense only where there is a second replica. */
function finish<T extends KubeObject>(
  objects: T[],
  component: string,
  instance: string,
  { replicas }: HostSettings,
): T[] {
  return objects
    .filter(({ kind }) => kind !== 'PodDisruptionBudget' || replicas > 1)
    .map(object => ({
      ...object,
      metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels(component, instance) } },
    }))
}

function secret(name: string, namespace: string, files: Record<string, string>): Secret {
  const data = Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString('base64')])
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries(data),
  }
}
