import { readFile } from 'node:fs/promises'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { type Archive, fillManifest, type PluginManifest } from '../../../src/build/package-manifest.ts'
import { brokenRules } from '../../../src/build/package-rules.ts'

const template = await readFile(new URL('../../../plugin.yaml', import.meta.url), 'utf8')
const linux: Archive = { os: 'linux', arch: 'amd64', uri: 'https://host/v9.8.7/x.tar.gz', sha256: 'ab'.repeat(32) }
const filled = (version = '9.8.7', archives = [linux]) =>
  load(fillManifest(template, version, archives)) as PluginManifest

describe('fillManifest', () => {
  test('puts in version, address and digest, and leaves the rest as it is', () => {
    const { spec, ...others } = load(template) as PluginManifest
    const platforms = [{ ...spec.platforms[0], uri: linux.uri, sha256: linux.sha256 }]
    expect(filled()).toEqual({ ...others, spec: { ...spec, version: 'v9.8.7', platforms } })
  })

  test.each<[string, Archive[], string]>([
    ['a platform without archive', [], 'plugin.yaml offers linux/amd64, of which there is no archive'],
    [
      'an archive that no platform offers',
      [linux, { ...linux, arch: 's390x' }],
      'plugin.yaml does not offer linux/s390x',
    ],
  ])('%s is refused', (_, archives, message) => {
    expect(() => filled('1.0.0', archives)).toThrow(message)
  })
})

describe("krew's rules", () => {
  test('hold for the manifest that is shipped', () => {
    expect(brokenRules(filled())).toEqual([])
    expect(brokenRules(filled('1.0.0-rc.1'))).toEqual([])
  })

  test('and krew names its link as the archive names the executable', () => {
    const { metadata, spec } = filled()
    expect(`kubectl-${metadata.name.replaceAll('-', '_')}`).toBe(spec.platforms[0]?.bin)
  })

  type Breaking = (manifest: PluginManifest, platform: PluginManifest['spec']['platforms'][number]) => unknown
  test.each<[rule: string, ...Breaking[]]>([
    ['apiVersion is v1alpha2', m => set(m, { apiVersion: 'krew.googlecontainertools.github.com/v1' })],
    ['kind is Plugin', m => set(m, { kind: 'Plug' })],
    ['the name is made of letters, digits, _ and -', m => set(m.metadata, { name: 'karmada net' })],
    ['Windows allows the name', m => set(m.metadata, { name: 'com1' }), m => set(m.metadata, { name: 'NUL' })],
    [
      'the version is v and a semantic version',
      ...['', '1.0.0', 'v1.0', 'v01.0.0', 'v1.0.0 '].map(version => (m: PluginManifest) => set(m.spec, { version })),
    ],
    ['there is a short description', m => set(m.spec, { shortDescription: '' })],
    ['the short description is one line', m => set(m.spec, { shortDescription: 'one\ntwo' })],
    ['the short description has at most 50 characters', m => set(m.spec, { shortDescription: 'x'.repeat(51) })],
    ['the description is wrapped at 80 columns', m => set(m.spec, { description: `short\n${'x'.repeat(81)}` })],
    ['there is a platform', m => set(m.spec, { platforms: [] })],
    ['no two platforms overlap', (m, p) => m.spec.platforms.push({ ...p })],
    [
      'platforms[0]: uri is a .tar.gz or .zip',
      ...['', 'https://host/x', 'https://host/x.tar.xz'].map(uri => ((_, p) => set(p, { uri })) satisfies Breaking),
    ],
    [
      'platforms[0]: sha256 is 64 lower-case hexadecimal digits',
      ...['', 'AB'.repeat(32), 'ab'.repeat(31)].map(sha256 => ((_, p) => set(p, { sha256 })) satisfies Breaking),
    ],
    ['platforms[0]: bin is set', (_, p) => set(p, { bin: '' })],
    [
      'platforms[0]: bin lies inside the archive',
      ...['/bin/sh', '../sh', 'a/../../sh'].map(bin => ((_, p) => set(p, { bin })) satisfies Breaking),
    ],
    [
      'platforms[0]: files is left out or lists from and to',
      (_, p) => set(p, { files: [] }),
      (_, p) => set(p, { files: [{ from: '*', to: '' }] }),
    ],
    [
      'platforms[0]: the selector is os and arch',
      (_, p) => set(p.selector.matchLabels, { version: '1' }),
      (_, p) => set(p.selector, { matchLabels: { os: 'linux' } }),
    ],
    ['platforms[0]: krew supports the platform', (_, p) => set(p.selector.matchLabels, { arch: 'x64' })],
    ['platforms[0]: on Windows bin ends in .exe', (_, p) => set(p.selector.matchLabels, { os: 'windows' })],
  ])('%s', (rule, ...breakings) => {
    for (const breaking of breakings) {
      const manifest = filled()
      breaking(manifest, manifest.spec.platforms[0] as (typeof manifest.spec.platforms)[number])
      expect(brokenRules(manifest)).toContain(rule)
    }
  })

  const set = <T extends object>(object: T, values: Partial<T>): T => Object.assign(object, values)
})
