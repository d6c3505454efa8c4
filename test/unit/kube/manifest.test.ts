import { expect, test } from 'vitest'
import { parseManifest, toYaml } from '../../../src/kube/manifest.ts'
import { redact } from '../../../src/kube/redact.ts'
import { discoveredResource, knownResource, resourcePath } from '../../../src/kube/resources.ts'

const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

test('several documents, empty ones and lists', () => {
  const text = `# a comment
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
---
{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}]}
`
  expect(parseManifest(text)).toEqual([map('a'), map('b')])
  expect(parseManifest('')).toEqual([])
})

test.each([
  ['a: b: c', 'x.yaml is not YAML: bad indentation of a mapping entry'],
  ['kind: ConfigMap', 'x.yaml: document 1 has no apiVersion, kind or metadata.name'],
  ['just text', 'x.yaml: document 1 has no apiVersion, kind or metadata.name'],
])('%s', (text, message) => {
  expect(() => parseManifest(text, 'x.yaml')).toThrow(message)
})

test('YAML and back; what other readers would take for something else is quoted', () => {
  const odd = { ...map('a'), data: { a: 'on', b: '0777', c: '1e3', d: 'x: y', e: 'l1\nl2\n', f: undefined } }
  const text = toYaml([odd, map('b')])
  expect(parseManifest(text)).toEqual([JSON.parse(JSON.stringify(odd)), map('b')])
  expect(text).toContain(`a: 'on'`)
  expect(text.split('---\n')).toHaveLength(2)
  expect(text.endsWith('\n')).toBe(true)
})

test('repeated parts are written out, long lines are not folded', () => {
  const shared = { x: 'word '.repeat(50).trim() }
  const text = toYaml([{ a: shared, b: shared }])
  expect(text).not.toMatch(/[&*]/)
  expect(text.trimEnd().split('\n')).toHaveLength(4)
})

test('redact: a Secret shows its keys and lengths only', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'c2VjcmV0', other: 'kept' }
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', annotations },
    data: { key: 'c2VjcmV0' },
    stringData: { text: 'secret' },
  }
  const shown = redact(secret)
  expect(JSON.stringify(shown)).not.toMatch(/secret"|c2VjcmV0/)
  expect(shown).toMatchObject({ data: { key: '*** (6 bytes)' }, stringData: { text: '*** (6 bytes)' } })
  expect(shown.metadata.annotations).toMatchObject({ other: 'kept' })
  expect(secret.data.key).toBe('c2VjcmV0')
  expect(redact({ ...map('a'), data: { x: 'y' } })).toMatchObject({ data: { x: 'y' } })
})

test.each([
  ['v1', 'Pod', 'pods', true],
  ['v1', 'Endpoints', 'endpoints', true],
  ['v1', 'Namespace', 'namespaces', false],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', true],
  ['networking.k8s.io/v1', 'Ingress', 'ingresses', true],
  ['scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', false],
  ['cluster.karmada.io/v1alpha1', 'Cluster', 'clusters', false],
  ['work.karmada.io/v1alpha1', 'Work', 'works', true],
  ['policy.karmada.io/v1alpha1', 'ClusterPropagationPolicy', 'clusterpropagationpolicies', false],
])('%s %s is %s', (apiVersion, kind, plural, namespaced) => {
  expect(knownResource(apiVersion, kind)).toEqual({ plural, namespaced })
})

test('other kinds, and other versions of known ones, are not guessed', () => {
  expect(knownResource('v1', 'Thing')).toBeUndefined()
  expect(knownResource('v2', 'Pod')).toBeUndefined()
  expect(discoveredResource({}, 'Thing')).toBeUndefined()
})

test.each([
  ['v1', 'Pod', { namespace: 'n', name: 'x' }, '/api/v1/namespaces/n/pods/x'],
  ['v1', 'Pod', { namespace: 'n' }, '/api/v1/namespaces/n/pods'],
  ['v1', 'Pod', {}, '/api/v1/pods'],
  ['v1', 'Node', { namespace: 'ignored', name: 'x' }, '/api/v1/nodes/x'],
  [
    'rbac.authorization.k8s.io/v1',
    'ClusterRole',
    { name: 'system:x/y' },
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax%2Fy',
  ],
])('path of %s %s %j', (apiVersion, kind, at, path) => {
  const resource = knownResource(apiVersion, kind)
  expect(resource && resourcePath(apiVersion, resource, at)).toBe(path)
})
