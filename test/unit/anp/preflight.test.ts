import { describe, expect, test } from 'vitest'
import { admittedPods } from '../../../src/anp/open.ts'
import { agrees, checkAgent, checkCluster } from '../../../src/anp/preflight.ts'
import { agentCount } from '../../../src/anp/servers.ts'
import type { Agent, Deployment } from '../../../src/karmada/agent.ts'
import type { Cluster } from '../../../src/karmada/cluster.ts'

const wanted = {
  apiEndpoint: 'https://kubernetes.default.svc:443',
  proxyUrl: 'http://anp-server-m1.karmada-system.svc:8088',
}
const secret = { namespace: 'karmada-cluster', name: 'm1' }
const cluster = (spec: Partial<Cluster['spec']> = {}, ready: 'True' | 'False' = 'True'): Cluster => ({
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'm1' },
  spec: { syncMode: 'Pull', secretRef: secret, impersonatorSecretRef: secret, ...spec },
  status: { conditions: [{ type: 'Ready', status: ready, message: 'cluster is not reachable' }] },
})

describe('a Cluster is refused', () => {
  const { impersonatorSecretRef: _, ...withoutImpersonator } = cluster().spec

  test.each<[string, Cluster, RegExp]>([
    ['when it is not ready', cluster({}, 'False'), /^cluster "m1" is not ready: cluster is not reachable$/],
    ['without secrets', { ...cluster(), spec: withoutImpersonator }, /^cluster "m1" is registered without secrets/],
    [
      "with somebody's proxy",
      cluster({ proxyURL: 'http://10.0.0.1:3128' }),
      /already has proxyURL http:\/\/10.0.0.1:3128$/,
    ],
  ])('%s', (_, refused, message) => expect(() => checkCluster(refused, wanted, false)).toThrow(message))

  test.each<[string, Cluster, boolean]>([
    ['as registered', cluster(), false],
    ['connected already', cluster({ proxyURL: wanted.proxyUrl }), false],
    ["with somebody's proxy, by force", cluster({ proxyURL: 'http://10.0.0.1:3128' }), true],
  ])('but not %s', (_, fit, force) => expect(() => checkCluster(fit, wanted, force)).not.toThrow())
})

describe('karmada-agent with --proxy-server-address', () => {
  const agent = (proxy: string | undefined, endpoint?: string): Agent => ({
    deployment: {} as Deployment,
    containerIndex: 0,
    clusterName: 'm1',
    flags: { '--proxy-server-address': proxy, '--cluster-api-endpoint': endpoint },
  })

  test.each<[string | undefined, boolean, boolean]>([
    [undefined, false, true],
    ['', false, true],
    [wanted.proxyUrl, false, true],
    ['http://10.0.0.1:3128', false, false],
    ['http://10.0.0.1:3128', true, true],
  ])('%s, force %s: fit %s', (proxy, force, fit) => {
    const check = () => checkAgent(agent(proxy), 'm1', wanted, force)
    if (fit) expect(check).not.toThrow()
    else expect(check).toThrow('karmada-agent of m1 already has --proxy-server-address=http://10.0.0.1:3128')
  })

  test.each<[string | undefined, string | undefined, Partial<Cluster['spec']>, boolean]>([
    ['http://p', 'https://e', { proxyURL: 'http://p', apiEndpoint: 'https://e' }, true],
    [undefined, undefined, {}, true],
    ['', '', {}, true],
    ['http://p', 'https://e', { apiEndpoint: 'https://e' }, false],
    ['http://p', undefined, { proxyURL: 'http://p', apiEndpoint: 'https://e' }, false],
  ])('%s and endpoint %s agree with %j: %s', (proxy, endpoint, spec, same) => {
    expect(agrees(agent(proxy, endpoint), cluster(spec))).toBe(same)
  })
})

test.each([
  ['# HELP x\nkonnectivity_network_proxy_server_ready_backend_connections 2\n', 2],
  ['konnectivity_network_proxy_server_ready_backend_connections{a="b"} 1e+01\n', 10],
  ['konnectivity_network_proxy_server_other 2\n', 0],
])('agents in %j', (metrics, count) => expect(agentCount(metrics)).toBe(count))

test('the tunnel admits the components that talk to members, by the labels of this host', () => {
  const components = ['karmada-aggregated-apiserver', 'karmada-webhook', 'karmada-search'].map(component => ({
    component,
    podLabels: { app: `release-${component}` },
  }))
  expect(admittedPods(components)).toEqual([
    { app: 'release-karmada-aggregated-apiserver' },
    { app: 'release-karmada-search' },
  ])
})
