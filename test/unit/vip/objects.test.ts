import { expect, test } from 'vitest'
import { pick } from '../../../src/kube/manifest.ts'
import {
  askedOf,
  type ConfigMap,
  type DaemonSet,
  imageOf,
  type ObjectSettings,
  selectionOf,
  uninstallPod,
  vipObjects,
} from '../../../src/vip/objects.ts'
import { parseSelector } from '../../../src/vip/selector.ts'
import { defaultSettings, readSettings } from '../../../src/vip/settings.ts'

const given = (more: Partial<ObjectSettings> = {}): ObjectSettings => ({
  settings: { ...defaultSettings, staticServers: [], drained: [], vip: '198.18.0.1', port: 6443, statusPort: 9820 },
  asked: { nodes: [], image: 'mirror.example.com/karmada-net:v1' },
  ...more,
})
const daemonSet = (more?: Partial<ObjectSettings>) => pick<DaemonSet>(vipObjects(given(more)), 'DaemonSet')
const podSpec = (more?: Partial<ObjectSettings>) => daemonSet(more).spec.template.spec

test('settings come back as they were', () => {
  const { data } = pick<ConfigMap>(vipObjects(given()), 'ConfigMap')
  expect(readSettings(data?.['settings.json'] ?? '')).toEqual(given().settings)
})

test('every object carries our labels, and the agent comes after what it needs', () => {
  const objects = vipObjects(given())
  for (const { metadata } of objects)
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'kubectl-karmada-net' })
  expect(objects.map(({ kind }) => kind).indexOf('DaemonSet')).toBe(objects.length - 1)
})

test('it may read EndpointSlices of the API servers and its own settings, and nothing else', () => {
  const rules = vipObjects(given()).flatMap(object =>
    'rules' in object ? [object.metadata.namespace, object.rules] : [],
  )
  const verbs = ['get', 'list', 'watch']
  expect(rules).toEqual([
    'default',
    [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs }],
    'kube-system',
    [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['karmada-net-vip'], verbs }],
  ])
})

test('neither container is privileged', () => {
  const spec = podSpec()
  for (const { securityContext, image } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    expect(image).toBe('mirror.example.com/karmada-net:v1')
    expect(securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    })
    expect(securityContext?.privileged).toBeUndefined()
  }
})

test('a node that is not ready, or not for pods, has it as well', () => {
  expect(podSpec()).toMatchObject({
    hostNetwork: true,
    priorityClassName: 'system-node-critical',
    tolerations: [{ operator: 'Exists' }],
  })
})

test.each([
  [{}, /^ghcr\.io\/karmada-net\/karmada-net:v/],
  [{ imageRegistry: 'mirror.example.com/ghcr/' }, /^mirror\.example\.com\/ghcr\/karmada-net\/karmada-net:v/],
  [{ image: 'example.com/own:1', imageRegistry: 'mirror.example.com' }, /^example\.com\/own:1$/],
])('the image of %j', (asked, image) => {
  expect(imageOf({ nodes: [], ...asked })).toMatch(image)
})

test('the port of its status is the one of the settings', () => {
  expect(podSpec()?.containers[0]?.ports).toEqual([{ name: 'status', containerPort: 9820 }])
})

test('where it is to run is remembered, and a node whose turn comes later is left out', () => {
  const nodes = parseSelector('pool=a')
  const config = pick<ConfigMap>(vipObjects(given({ asked: { nodes } })), 'ConfigMap')
  expect([askedOf(config), selectionOf(daemonSet({ asked: { nodes } }))]).toEqual([{ nodes }, nodes])
  const termsOf = (more?: Partial<ObjectSettings>) =>
    podSpec(more)?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const later = { key: 'karmada-net.io/vip', operator: 'DoesNotExist' }
  expect(termsOf({ asked: { nodes } })).toEqual([
    { matchExpressions: [later, { key: 'pool', operator: 'In', values: ['a'] }] },
  ])
  expect(termsOf()).toEqual([{ matchExpressions: [later] }])
  expect(selectionOf(daemonSet())).toEqual([])
})

test('the pod that takes it back knows the address, and runs on its node alone', () => {
  const pod = uninstallPod({ vip: { host: 'fd00::1', port: 6443 }, node: 'n'.repeat(253), image: 'i:1' })
  expect(pod.metadata.name.length).toBeLessThanOrEqual(63)
  expect(pod.spec.containers[0]?.args).toEqual(['--root=/host', '--vip=fd00::1', '--port=6443'])
  expect(pod.spec.affinity?.nodeAffinity).toMatchObject({
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ values: ['n'.repeat(253)] }] }],
    },
  })
})

test.each([
  ['a=b', [{ key: 'a', operator: 'In', values: ['b'] }]],
  ['a==b', [{ key: 'a', operator: 'In', values: ['b'] }]],
  ['a=', [{ key: 'a', operator: 'In', values: [''] }]],
  ['a!=b', [{ key: 'a', operator: 'NotIn', values: ['b'] }]],
  [
    'pool in (a, b),!x',
    [
      { key: 'pool', operator: 'In', values: ['a', 'b'] },
      { key: 'x', operator: 'DoesNotExist' },
    ],
  ],
  ['pool notin (a)', [{ key: 'pool', operator: 'NotIn', values: ['a'] }]],
  ['node-role.kubernetes.io/control-plane', [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }]],
])('nodes by %s', (text, wanted) => {
  expect(parseSelector(text)).toEqual(wanted)
})

test.each(['', 'a b', 'a=b=c', 'in (a)', 'a,', 'a in a', 'a=b,(c)'])('"%s" is no selector', text => {
  expect(() => parseSelector(text)).toThrow('is no label selector')
})
