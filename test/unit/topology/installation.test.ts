import { expect, test } from 'vitest'
import { allApiServersIn, endpointOf } from '../../../src/topology/evidence.ts'
import { type Deployment, installationsIn, type Pod, type Service } from '../../../src/topology/installation.ts'
import { hubOf, type Lease, liveApiServers } from '../../../src/topology/probe-plane.ts'
import { alias, apiServerService, deployment, karmadactlDeployments, lease, pod } from './fakes.ts'
import { installation } from './probes.ts'

const contents = (
  deployments: object[],
  services: object[] = [apiServerService()],
  pods: object[] = [pod('karmada-apiserver', 'karmada-apiserver-5d8-x')],
) => ({
  namespace: 'karmada-system',
  deployments: deployments as Deployment[],
  services: services as Service[],
  pods: pods as Pod[],
})
const brief = (deployments: object[]) =>
  installationsIn(contents(deployments)).map(({ prefix, installedBy, karmadaVersion }) =>
    [prefix, installedBy, karmadaVersion].join(' '),
  )

const apiServer = (name: string, metadata: object = {}, mount?: object, secretName = `${name}-cert`) => {
  const made = deployment(name, 'kube-apiserver', 'registry.k8s.io/kube-apiserver:v1.35.4', metadata, {
    volumes: [{ name: 'x', secret: { secretName } }],
  })
  if (mount !== undefined) Object.assign(made.spec.template.spec.containers[0] ?? {}, { volumeMounts: [mount] })
  return made
}
const aggregated = (
  prefix: string,
  metadata: object = {},
  image = 'docker.io/karmada/karmada-aggregated-apiserver:v1.18.2',
) => deployment(`${prefix}-aggregated-apiserver`, '/bin/karmada-aggregated-apiserver', image, metadata)

const helm = { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }
const operator = { labels: { 'app.kubernetes.io/managed-by': 'karmada-operator' } }
const applied = { labels: { app: 'karmada-apiserver' } }

test.for<[string, object[], string[]]>([
  ['karmadactl', karmadactlDeployments('v1.17.0'), ['karmada karmadactl v1.17.0']],
  ['helm', [apiServer('hub-apiserver', helm), aggregated('hub', helm)], ['hub helm v1.18.2']],
  [
    'helm template',
    [
      apiServer('karmada-apiserver', {}, { name: 'apiserver-cert', mountPath: '/etc/kubernetes/pki' }),
      aggregated('karmada'),
    ],
    ['karmada helm v1.18.2'],
  ],
  [
    'operator',
    [apiServer('demo-karmada-apiserver', operator), aggregated('demo-karmada', operator)],
    ['demo-karmada operator v1.18.2'],
  ],
  [
    'hack script',
    [
      apiServer('karmada-apiserver', applied),
      aggregated('karmada', {}, 'docker.io/karmada/karmada-aggregated-apiserver:latest'),
    ],
    ['karmada hack script '],
  ],
  [
    'somebody else',
    [apiServer('karmada-apiserver', {}, undefined, 'certs'), aggregated('karmada')],
    ['karmada unknown v1.18.2'],
  ],
  ['aggregated API server gone', [apiServer('karmada-apiserver', operator)], ['karmada operator ']],
  [
    'two side by side',
    [
      aggregated('a-karmada', operator),
      apiServer('a-karmada-apiserver', operator),
      aggregated('a-karmada-b-karmada', operator),
    ],
    ['a-karmada operator v1.18.2', 'a-karmada-b-karmada operator v1.18.2'],
  ],
  ['an API server of another tool', [apiServer('tenant-apiserver')], []],
  ['nothing', [], []],
])('%s', ([, deployments, expected]) => {
  expect(brief(deployments)).toEqual(expected)
})

test('components are known by their program', () => {
  const [found] = installationsIn(contents(karmadactlDeployments()))
  expect(
    found?.components.map(({ component, deployment, podLabels }) => `${component} ${deployment} ${podLabels['app']}`),
  ).toEqual([
    'kube-apiserver karmada-apiserver karmada-apiserver',
    'karmada-aggregated-apiserver karmada-aggregated-apiserver karmada-aggregated-apiserver',
    'karmada-scheduler karmada-scheduler karmada-scheduler',
    'kube-controller-manager kube-controller-manager kube-controller-manager',
  ])
})

const endpoints = (service: object, podSpec: object = {}) => {
  const pods = [pod('karmada-apiserver', 'karmada-apiserver-5d8-x', podSpec)]
  return installationsIn(contents(karmadactlDeployments(), [service], pods))[0]
}
test.for<[string, object, string[]]>([
  [
    'node port of the pod’s node',
    apiServerService(),
    ['10.0.0.1:32443', '10.96.0.20:5443', '10.1.0.7:5443', 'karmada-apiserver.karmada-system.svc:5443'],
  ],
  [
    'load balancer',
    apiServerService({}, { loadBalancer: { ingress: [{ ip: '203.0.113.7' }, { hostname: 'LB.example.com' }] } }),
    ['203.0.113.7:5443', 'lb.example.com:5443'],
  ],
  ['external address, IPv6', apiServerService({ externalIPs: ['2001:db8::1'] }), ['[2001:db8::1]:5443']],
])('served at: %s', ([, service, expected]) => {
  expect(endpoints(service)?.endpoints).toEqual(expect.arrayContaining(expected))
})

test('a Service of something else is no way in', () => {
  expect(endpoints(apiServerService({ selector: { app: 'etcd' } }))?.endpoints).toEqual(['10.1.0.7:5443'])
})

test('on the host network the node’s name proves nothing: other clusters have nodes of that name', () => {
  expect(endpoints(apiServerService(), { hostNetwork: true, nodeName: 'node1' })?.apiServers).toEqual([])
  expect(endpoints(apiServerService())?.apiServers).toEqual(['karmada-apiserver-5d8-x'])
})

test('a pod’s host name is cut at 63 characters', () => {
  const name = `karmada-apiserver-${'x'.repeat(60)}`
  const pods = [pod('karmada-apiserver', name)]
  expect(installationsIn(contents(karmadactlDeployments(), [], pods))[0]?.apiServers).toEqual([name.slice(0, 63)])
})

test.for<[string, object | undefined]>([
  [
    'karmada-aggregated-apiserver.karmada-system.svc.cluster.local',
    { service: 'karmada-aggregated-apiserver', namespace: 'karmada-system', domain: 'cluster.local' },
  ],
  [
    'demo-karmada-aggregated-apiserver.test.svc',
    { service: 'demo-karmada-aggregated-apiserver', namespace: 'test', domain: undefined },
  ],
  ['karmada.example.com', undefined],
])('the plane’s alias %s', ([externalName, expected]) => {
  expect(hubOf(alias(externalName) as Service)).toEqual(expected)
})

test('an API server that stopped renewing its lease is no longer counted', () => {
  const leases = [lease('a', 0), lease('b', 11), lease('dead', 3000)] as Lease[]
  expect(liveApiServers(leases)).toEqual(['a', 'b'])
  expect(liveApiServers([])).toEqual([])
})

test('all API servers in the hosts that are known', () => {
  const facts = { apiServers: ['a', 'b'], fingerprints: [] }
  expect(allApiServersIn([installation({ apiServers: ['a'] })], facts)).toBe(false)
  expect(allApiServersIn([installation({ apiServers: ['a'] }), installation({ apiServers: ['b', 'c'] })], facts)).toBe(
    true,
  )
  expect(allApiServersIn([installation()], { ...facts, apiServers: [] })).toBe(false)
})

test.for([
  ['https://10.0.0.1:6443', '10.0.0.1:6443'],
  ['https://Karmada.example.com', 'karmada.example.com:443'],
  ['karmada:8080', 'karmada:8080'],
  ['https://[2001:DB8::1]:5443/k8s/clusters/c-1', '[2001:db8::1]:5443'],
] as const)('the endpoint of %s', ([server, expected]) => {
  expect(endpointOf(server)).toBe(expected)
})
