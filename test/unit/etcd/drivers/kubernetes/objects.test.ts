import { describe, expect, test } from 'vitest'
import type { KubernetesSpec } from '../../../../../src/etcd/cluster.ts'
import { etcdutlPod, shellPod } from '../../../../../src/etcd/drivers/kubernetes/helper-pod.ts'
import { memberName } from '../../../../../src/etcd/drivers/kubernetes/names.ts'
import {
  budgetOf,
  claimOf,
  type Owner,
  paths,
  pinnedNode,
  type Running,
  runningOf,
  secretOf,
  statefulSetOf,
} from '../../../../../src/etcd/drivers/kubernetes/objects.ts'
import { launchFor } from '../../../../../src/etcd/launch.ts'
import { clusterState, memberSpec } from '../../spec.ts'

const onNode: KubernetesSpec = {
  kind: 'kubernetes',
  context: 'hub',
  namespace: 'etcd-here',
  storage: { hostPath: '/srv/etcd/' },
}
const onVolume: KubernetesSpec = { ...onNode, storage: { storageClass: 'fast', size: '30Gi' } }
const owner = (rest: Partial<Owner> = {}): Owner => ({ cluster: 'blue', member: 'm1', driver: onNode, ...rest })
const state = clusterState({
  name: 'blue',
  ports: { client: 12379, peer: 12380, metrics: 12381 },
  tuning: { ...clusterState().spec.tuning, extraArgs: ['--initial-election-tick-advance=false'] },
})
const launch = launchFor(state, memberSpec('m1'), { paths })
const running = (rest: Partial<Running> = {}): Running => ({
  launch,
  bootstrapArgs: launch.bootstrapArgs,
  node: 'n1',
  replicas: 1,
  ...rest,
})
const etcdOf = (set: ReturnType<typeof statefulSetOf>) => set.spec.template.spec?.containers[0]

describe('the StatefulSet', () => {
  test('names nothing of the sample', () => {
    expect(JSON.stringify(statefulSetOf(owner({ member: 'a' }), running()))).not.toMatch(/sample|etcd-system|"m1"/)
  })

  test('says what runs, and is read back to the same', () => {
    const { template } = statefulSetOf(owner(), running()).spec
    const { image, version, generation, args } = launch
    expect(runningOf(template)).toEqual({
      launch: { image, version, generation, args },
      bootstrapArgs: launch.bootstrapArgs,
    })
    expect(args).toContain('--initial-election-tick-advance=false')
    expect(pinnedNode(template)).toBe('n1')
    expect(pinnedNode(statefulSetOf(owner(), running({ node: undefined })).spec.template)).toBeUndefined()
  })

  test('from another registry it is still the image that was asked for', () => {
    const set = statefulSetOf(owner({ imageRegistry: 'mirror.local/proxy' }), running())
    expect(etcdOf(set)?.image).toBe('mirror.local/proxy/etcd:v3.6.16')
    expect(runningOf(set.spec.template)?.launch.image).toBe('example.com/etcd:v3.6.16')
  })

  test('an image that somebody changed by hand is told as it is', () => {
    const { template } = statefulSetOf(owner(), running()).spec
    const [etcd] = template.spec?.containers ?? []
    if (etcd) etcd.image = 'example.com/etcd:v3.5.33'
    expect(runningOf(template)?.launch.image).toBe('example.com/etcd:v3.5.33')
  })

  test('probes ask the metrics port of the node’s loopback; none that kills asks for a quorum', () => {
    const etcd = etcdOf(statefulSetOf(owner(), running()))
    const asked = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map(probe => etcd?.[probe]?.httpGet)
    expect(asked).toEqual(
      ['/livez', '/livez', '/readyz'].map(path => ({ host: '127.0.0.1', path, port: 12381, scheme: 'HTTP' })),
    )
    expect(etcd?.ports?.map(({ containerPort }) => containerPort)).toEqual([12379, 12380])
  })

  test('nothing but the plugin restarts it, and two never share a node', () => {
    const set = statefulSetOf(owner(), running())
    const spec = set.spec.template.spec
    expect(set.spec).toMatchObject({ updateStrategy: { type: 'OnDelete' } })
    const [term] = spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    expect(term?.labelSelector?.matchLabels).toEqual({
      'app.kubernetes.io/component': 'etcd',
      'app.kubernetes.io/instance': 'blue',
    })
    expect(spec).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })
    expect(spec?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(10)
  })

  test('data in a folder of the node that is not made anew, or on a volume of this generation', () => {
    const data = (driver: KubernetesSpec) =>
      statefulSetOf(owner({ driver }), running()).spec.template.spec?.volumes?.find(({ name }) => name === 'data')
    expect(data(onNode)).toEqual({ name: 'data', hostPath: { path: '/srv/etcd/blue/m1', type: 'Directory' } })
    expect(data(onVolume)).toEqual({ name: 'data', persistentVolumeClaim: { claimName: 'etcd-blue-m1-1' } })
    expect(claimOf(owner(), 3)).toBeUndefined()
    expect(claimOf(owner({ driver: onVolume }), 3)).toMatchObject({
      metadata: { name: 'etcd-blue-m1-3', namespace: 'etcd-here' },
      spec: { storageClassName: 'fast', resources: { requests: { storage: '30Gi' } } },
    })
  })

  test('its names fit where Kubernetes repeats them', () => {
    const long = memberName('c'.repeat(40), 'm'.repeat(40))
    expect(long).toHaveLength(52)
    expect(long).not.toBe(memberName('c'.repeat(40), `${'m'.repeat(39)}n`))
    expect(memberName('blue', 'm1')).toBe('etcd-blue-m1')
  })
})

test('a Secret’s certificates, and one budget for all members of a namespace', () => {
  const secret = secretOf(owner(), { 'ca.crt': 'CA', 'server.pem': 'S', 'peer.pem': 'P' })
  expect(secret.data).toEqual({ 'ca.crt': 'Q0E=', 'server.pem': 'Uw==', 'peer.pem': 'UA==' })
  expect(secret.metadata).toMatchObject({ name: 'etcd-blue-m1', namespace: 'etcd-here' })
  expect(budgetOf(owner())).toEqual(budgetOf(owner({ member: 'm2' })))
})

describe('helpers', () => {
  test('a command on the member’s node, without capabilities beyond those for folders', () => {
    const pod = shellPod(owner(), 'n1', '/srv/etcd', ['rm', '-rf', '/data/blue/m1/generation-1'])
    expect(pinnedNode({ spec: pod.spec } as never)).toBe('n1')
    expect(pod.spec?.containers[0]).toMatchObject({
      command: ['rm', '-rf', '/data/blue/m1/generation-1'],
      securityContext: { capabilities: { drop: ['ALL'], add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'] } },
    })
  })

  test('without a node it goes where the member may go', () => {
    const affinity = (node: string | undefined) => shellPod(owner(), node, '/srv/etcd', ['true']).spec?.affinity
    expect(affinity(undefined)?.podAntiAffinity).toBeDefined()
    // Beside the member itself, where its node is known.
    expect(affinity('n1')?.podAntiAffinity).toBeUndefined()
  })

  test.each([true, false])('etcdutl, on data that no etcd has run on: %s', fresh => {
    const pod = etcdutlPod(owner(), 'n1', { image: launch.image, generation: 2, args: ['snapshot', 'status'], fresh })
    const [receive, etcdutl] = pod.spec?.initContainers ?? []
    expect(receive?.command?.join(' ').includes('rm -rf')).toBe(fresh)
    expect(etcdutl).toMatchObject({ image: launch.image, command: ['etcdutl', 'snapshot', 'status'] })
    expect(etcdutl?.securityContext).not.toHaveProperty('runAsUser')
    expect(pod.spec?.containers[0]?.command).toEqual(['touch', '/var/lib/etcd/generation-2.restored'])
  })
})
