import { describe, expect, test } from 'vitest'
import { ensureCertificates } from '../../../src/anp/certificates.ts'
import { type Container, container, type Workload } from '../../../src/anp/manifests.ts'
import { agentObjects, gatewayObjects, secretObjects, serverObjects } from '../../../src/anp/plan.ts'
import type { TunnelSettings } from '../../../src/anp/settings.ts'
import { pick, toYaml } from '../../../src/kube/manifest.ts'
import type { KubeObject } from '../../../src/kube/types.ts'

const settings: TunnelSettings = {
  member: 'edge-7',
  namespace: 'karmada-two',
  clusterDomain: 'hub.internal',
  expose: 'nodeport',
  address: undefined,
  replicas: 2,
  imageRegistry: undefined,
  gateway: { host: '10.0.0.9', port: 32091 },
  apiServer: { host: 'kubernetes.default.svc', port: 443 },
  memberNamespace: 'agents',
  deliver: 'karmada',
}
const { certificates } = ensureCertificates('edge-7', '10.0.0.9', {}, new Date())
const admitted = [{ app: 'karmada-aggregated-apiserver' }]

const gateway = (change: Partial<TunnelSettings> = {}) => gatewayObjects({ ...settings, ...change }, 32091)
const server = (change: Partial<TunnelSettings> = {}) =>
  serverObjects({ ...settings, ...change }, certificates, admitted)
const agent = (change: Partial<TunnelSettings> = {}) => agentObjects({ ...settings, ...change }, certificates)
const secrets = () => secretObjects(settings, certificates)
const everything = () => [...gateway(), ...secrets(), ...server(), ...agent()]
const containers = (objects: KubeObject[]): Container[] =>
  pick<Workload>(objects, 'Deployment').spec.template.spec?.containers ?? []

describe('every object', () => {
  test.each(everything().map(object => [`${object.kind} ${object.metadata.name}`, object] as const))(
    '%s',
    (_, object) => {
      expect(object.metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'kubectl-karmada-net',
        'app.kubernetes.io/part-of': 'karmada-net',
      })
      expect(object.metadata.namespace).toBe(object.metadata.name === 'anp-agent' ? 'agents' : 'karmada-two')
      // Nothing of what the manifests are written for is left.
      expect(toYaml([object])).not.toMatch(/member1|karmada-system|cluster\.local|example\.com/)
    },
  )
})

describe('every container', () => {
  test.each(['gateway', 'server', 'agent'] as const)('of %s runs without privileges', part => {
    const objects = { gateway, server, agent }[part]()
    const pod = pick<Workload>(objects, 'Deployment').spec.template.spec
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(pod?.hostNetwork).toBeUndefined()
    expect(pod?.automountServiceAccountToken).toBe(false)
    for (const each of containers(objects)) {
      expect(each.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(each.resources?.limits?.['memory']).toBeDefined()
      expect(each.readinessProbe).toBeDefined()
    }
  })
})

describe('the server', () => {
  const args = (replicas: number) => container(pick<Workload>(server({ replicas }), 'Deployment'), 'proxy-server').args

  test.each([1, 2, 5])('tells its agents that there are %i of it', replicas => {
    expect(args(replicas)).toContain(`--server-count=${replicas}`)
    expect(pick<Workload>(server({ replicas }), 'Deployment').spec.replicas).toBe(replicas)
  })

  test("lets through nothing but the member's API server", () => {
    const config = pick<KubeObject & { data: Record<string, string> }>(
      server({ apiServer: { host: 'api.edge', port: 6443 } }),
      'ConfigMap',
    )
    const denials = config.data['haproxy.cfg']?.match(/deny_status 403 unless .*/g)
    expect(denials).toEqual(Array(2).fill('deny_status 403 unless { method CONNECT } { url -m str api.edge:6443 }'))
  })

  test('admits only the pods it is given', () => {
    const policy = pick<KubeObject & { spec: { ingress: unknown[] } }>(server(), 'NetworkPolicy')
    expect(policy.spec.ingress[0]).toEqual({
      from: [{ podSelector: { matchLabels: { app: 'karmada-aggregated-apiserver' } } }],
      ports: [{ port: 8088, protocol: 'TCP' }],
    })
  })

  test('rolls its pods when a key changes, and only then', () => {
    const rolled = (keys: typeof certificates) =>
      pick<Workload>(serverObjects(settings, keys, admitted), 'Deployment').spec.template.metadata?.annotations
    expect(rolled(certificates)).toEqual(rolled(structuredClone(certificates)))
    expect(rolled(ensureCertificates('edge-7', '10.0.0.9', {}, new Date()).certificates)).not.toEqual(
      rolled(certificates),
    )
  })
})

describe('the agent', () => {
  const args = (change: Partial<TunnelSettings>) =>
    container(pick<Workload>(agent(change), 'Deployment'), 'proxy-agent').args

  test.each([
    [{}, ['--proxy-server-host=10.0.0.9', '--proxy-server-port=32091', '--alpn-proto=karmada-net.edge-7']],
    [{ apiServer: { host: 'api.edge', port: 6443 } }, ['--agent-identifiers=host=api.edge']],
  ])('with %j', (change, flags) => expect(args(change)).toEqual(expect.arrayContaining(flags)))

  test('gets no key but its own', () => {
    const files = pick<KubeObject & { data: Record<string, string> }>(agent(), 'Secret').data
    expect(Object.keys(files)).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
    expect(Buffer.from(files['tls.key'] ?? '', 'base64').toString()).toBe(certificates.agent.key)
  })
})

describe('exposing the gateway', () => {
  const service = (change: Partial<TunnelSettings>) =>
    pick<KubeObject & { spec: { type: string; ports: object[] } }>(gateway(change), 'Service').spec

  test.each([
    ['nodeport', 'NodePort', { nodePort: 32091 }],
    ['loadbalancer', 'LoadBalancer', {}],
    ['hostport', 'ClusterIP', {}],
  ] as const)('%s', (expose, type, port) => {
    expect(service({ expose })).toMatchObject({ type, ports: [{ port: 8091, ...port }] })
    const ports = containers(gateway({ expose }))[0]?.ports?.map(({ hostPort }) => hostPort)
    expect(ports).toEqual([expose === 'hostport' ? 8091 : undefined, undefined])
  })
})

test('one replica has no disruption budget', () => {
  const kinds = [...gateway({ replicas: 1 }), ...server({ replicas: 1 }), ...agent({ replicas: 1 })].map(
    ({ kind }) => kind,
  )
  expect(kinds).not.toContain('PodDisruptionBudget')
})

test('images come from the mirror, with tag and digest', () => {
  const images = [...containers(server({ imageRegistry: 'mirror.example.org/k8s/' }))].map(({ image }) => image)
  expect(images[0]).toMatch(
    /^mirror\.example\.org\/k8s\/kas-network-proxy\/proxy-server:v0\.36\.0@sha256:[0-9a-f]{64}$/,
  )
  expect(images[1]).toBe('mirror.example.org/k8s/library/haproxy:3.2')
})
