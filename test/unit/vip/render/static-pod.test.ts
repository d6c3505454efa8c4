import { describe, expect, test } from 'vitest'
import { parseManifest } from '../../../../src/kube/manifest.ts'
import { selectorOf } from '../../../../src/vip/names.ts'
import type { Pod } from '../../../../src/vip/objects.ts'
import { settingsFrom } from '../../../../src/vip/render/settings.ts'
import { staticPodFolder } from '../../../../src/vip/render/static-pod.ts'
import { readSettings } from '../../../../src/vip/settings.ts'

const given = { vip: '198.18.0.1', servers: '10.0.0.1:6443,10.0.0.2:6443', port: undefined }
const settings = settingsFrom({ ...given, scheduler: 'rr', tlsServerName: 'api.example.com' })
const files = new Map(
  staticPodFolder(settings, { nodes: [], imageRegistry: 'mirror.example.com' }).map(({ path, content }) => [
    path,
    content,
  ]),
)
const podIn = (path: string) => parseManifest(files.get(path) ?? '')[0] as Pod

test('the agent reads the settings that lie beside its pod', () => {
  expect(readSettings(files.get('settings.json') ?? '')).toEqual(settings)
  const { spec } = podIn('karmada-net-vip.yaml')
  expect(spec.volumes).toContainEqual({
    name: 'settings',
    hostPath: { path: '/etc/karmada-net/vip', type: 'Directory' },
  })
  expect(files.get('README.md')).toContain('install -D -m 0644 settings.json /etc/karmada-net/vip/settings.json')
})

describe.each(['karmada-net-vip.yaml', 'uninstall.yaml'])('%s', path => {
  const { metadata, spec } = podIn(path)

  test('asks nothing of an API server', () => {
    expect(spec).not.toHaveProperty('serviceAccountName')
    expect(spec).not.toHaveProperty('nodeSelector')
    expect(spec).not.toHaveProperty('affinity')
    expect(spec.automountServiceAccountToken).toBe(false)
    const kinds = (spec.volumes ?? []).flatMap(volume => Object.keys(volume).filter(key => key !== 'name'))
    expect(new Set(kinds)).toEqual(new Set(['hostPath']))
  })

  test('is none of the pods that "vip up" counts, and its image comes from where it was said', () => {
    const selected = selectorOf('vip')
      .split(',')
      .every(pair => {
        const [label = '', value] = pair.split('=')
        return metadata.labels?.[label] === value
      })
    expect(selected).toBe(false)
    for (const { image } of [...(spec.initContainers ?? []), ...spec.containers])
      expect(image).toMatch(/^mirror\.example\.com\/karmada-net\/karmada-net:v/)
  })
})
