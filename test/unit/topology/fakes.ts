import { createClient } from '../../../src/kube/client.ts'
import type { Kubeconfig } from '../../../src/kube/kubeconfig.ts'
import type { Contexts } from '../../../src/topology/contexts.ts'
import { authority, base64, type FakeApiServer, startFakeApiServer } from '../kube/fake-apiserver.ts'

const items = (...objects: object[]) => ({ body: { kind: 'List', metadata: {}, items: objects } })

/** An API server that answers what every cluster answers. */
export async function fakeCluster(uid: string, groups: string[] = []): Promise<FakeApiServer> {
  const server = await startFakeApiServer()
  server.on('GET /apis', { body: { kind: 'APIGroupList', groups: ['apps', ...groups].map(name => ({ name })) } })
  server.on('GET /version', { body: { gitVersion: 'v1.35.4' } })
  server.on('GET /api/v1/namespaces/kube-system', {
    body: { kind: 'Namespace', metadata: { name: 'kube-system', uid } },
  })
  server.on('GET /api/v1/pods', items())
  return server
}

/** A cluster with the pods, Deployments and Services that `karmadactl init` leaves, as far as they are read. */
export async function fakeHost(uid: string, apiServerPod = 'karmada-apiserver-5d8-x'): Promise<FakeApiServer> {
  const server = await fakeCluster(uid)
  server.on(
    'GET /api/v1/pods',
    items(pod('karmada-apiserver', apiServerPod), pod('karmada-aggregated-apiserver', 'agg-1-x')),
  )
  server.on('GET /apis/apps/v1/namespaces/karmada-system/deployments', items(...karmadactlDeployments()))
  server.on('GET /api/v1/namespaces/karmada-system/services', items(apiServerService()))
  return server
}

/** A Karmada API server as `karmadactl init` leaves it. */
export async function fakePlane(
  uid: string,
  clusters: object[],
  apiServerPod = 'karmada-apiserver-5d8-x',
): Promise<FakeApiServer> {
  const server = await fakeCluster(uid, ['cluster.karmada.io'])
  server.on('GET /apis/cluster.karmada.io/v1alpha1/clusters', items(...clusters))
  server.on(
    'GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases',
    items(lease(apiServerPod, 0), lease('gone', 600)),
  )
  server.on(
    'GET /api/v1/namespaces/karmada-system/services',
    items(alias('karmada-aggregated-apiserver.karmada-system.svc')),
  )
  return server
}

export const pod = (app: string, name: string, rest: object = {}) => ({
  metadata: {
    name,
    namespace: 'karmada-system',
    uid: `uid-${name}`,
    labels: { app },
    ownerReferences: [{ kind: 'ReplicaSet', name: `${app}-5d8` }],
  },
  spec: { containers: [{ name: app, ports: [{ containerPort: 5443 }] }], ...rest },
  status: { podIP: '10.1.0.7', hostIP: '10.0.0.1' },
})

export const deployment = (
  name: string,
  command: string,
  image: string,
  metadata: object = {},
  podSpec: object = {},
) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'karmada-system', ...metadata },
  spec: {
    selector: {},
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name, image, command: [command] }], ...podSpec },
    },
  },
})

export function karmadactlDeployments(version = 'v1.18.2') {
  const metadata = { labels: { 'karmada.io/bootstrapping': 'app-defaults' } }
  const karmada = (name: string) => deployment(name, `/bin/${name}`, `docker.io/karmada/${name}:${version}`, metadata)
  return [
    deployment('karmada-apiserver', 'kube-apiserver', 'registry.k8s.io/kube-apiserver:v1.35.4', metadata, {
      volumes: [{ name: 'karmada-cert', secret: { secretName: 'karmada-cert' } }],
    }),
    karmada('karmada-aggregated-apiserver'),
    karmada('karmada-scheduler'),
    deployment(
      'kube-controller-manager',
      'kube-controller-manager',
      'registry.k8s.io/kube-controller-manager:v1.35.4',
      metadata,
    ),
  ]
}

export const apiServerService = (rest: object = {}, status: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'karmada-apiserver', namespace: 'karmada-system' },
  spec: {
    type: 'NodePort',
    selector: { app: 'karmada-apiserver' },
    clusterIPs: ['10.96.0.20'],
    ports: [{ port: 5443, nodePort: 32443 }],
    ...rest,
  },
  status,
})

export const alias = (externalName: string, name = 'karmada-aggregated-apiserver') => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'karmada-system' },
  spec: { type: 'ExternalName', externalName },
})

/** The identity lease of an API server, renewed so many seconds before the newest. */
export const lease = (hostname: string, secondsAgo: number) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: `apiserver-${hostname}`, labels: { 'kubernetes.io/hostname': hostname } },
  spec: { renewTime: new Date(Date.UTC(2026, 0, 1) - secondsAgo * 1000).toISOString() },
})

/** A kubeconfig with a context of the same name for each server; the first is current. */
export function contextsFor(servers: Record<string, string>, currentContext = Object.keys(servers)[0]): Contexts {
  const certificateAuthorityData = base64(authority.certificate)
  const names = Object.keys(servers)
  const kubeconfig: Kubeconfig = {
    currentContext,
    contexts: new Map(names.map(name => [name, { name, cluster: name, user: 'alice' }])),
    clusters: new Map(
      Object.entries(servers).map(([name, server]) => [name, { name, server, certificateAuthorityData }]),
    ),
    users: new Map([['alice', { name: 'alice', token: 'secret' }]]),
  }
  return { kubeconfig, clientOf: context => createClient(kubeconfig, context, { env: {} }) }
}
