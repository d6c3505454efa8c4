import { posix } from 'node:path'
import type { PluginManifest, PluginPlatform } from './package-manifest.ts'

/**
 * What krew and the index of its plugins ask of a manifest, one rule a line: answers what is broken, nothing where all is well.
 * Stricter than krew in one point: a selector is `matchLabels` with both os and arch. Pure.
 */
export const brokenRules = (manifest: PluginManifest): string[] => [
  ...manifestRules.filter(([, holds]) => !holds(manifest)).map(([rule]) => rule),
  ...manifest.spec.platforms.flatMap((platform, index) =>
    platformRules.filter(([, holds]) => !holds(platform)).map(([rule]) => `platforms[${index}]: ${rule}`),
  ),
]

type Rule<T> = readonly [rule: string, holds: (subject: T) => boolean]

const manifestRules: Rule<PluginManifest>[] = [
  ['apiVersion is v1alpha2', ({ apiVersion }) => apiVersion === 'krew.googlecontainertools.github.com/v1alpha2'],
  ['kind is Plugin', ({ kind }) => kind === 'Plugin'],
  ['the name is made of letters, digits, _ and -', ({ metadata }) => /^[\w-]+$/.test(metadata.name)],
  ['Windows allows the name', ({ metadata }) => !/^(con|prn|aux|nul|com\d|lpt\d)$/i.test(metadata.name)],
  ['the version is v and a semantic version', ({ spec }) => semanticVersion.test(spec.version)],
  ['there is a short description', ({ spec }) => Boolean(spec.shortDescription)],
  ['the short description is one line', ({ spec }) => !/[\r\n]/.test(spec.shortDescription)],
  ['the short description has at most 50 characters', ({ spec }) => spec.shortDescription.length <= 50],
  [
    'the description is wrapped at 80 columns',
    ({ spec }) => linesOf(spec.description).every(line => line.length <= 80),
  ],
  ['there is a platform', ({ spec }) => spec.platforms.length > 0],
  ['no two platforms overlap', ({ spec }) => new Set(spec.platforms.map(pairOf)).size === spec.platforms.length],
]

const platformRules: Rule<PluginPlatform>[] = [
  ['uri is a .tar.gz or .zip', ({ uri }) => /\.(tar\.gz|zip)$/.test(uri)],
  ['sha256 is 64 lower-case hexadecimal digits', ({ sha256 }) => /^[a-f0-9]{64}$/.test(sha256)],
  ['bin is set', ({ bin }) => Boolean(bin)],
  ['bin lies inside the archive', ({ bin }) => !posix.isAbsolute(bin) && !posix.normalize(bin).startsWith('..')],
  ['files is left out or lists from and to', ({ files }) => !files || (files.length > 0 && files.every(isMove))],
  ['the selector is os and arch', ({ selector }) => keysOf(selector.matchLabels) === 'arch,os'],
  ['krew supports the platform', platform => supported.has(pairOf(platform))],
  [
    'on Windows bin ends in .exe',
    ({ selector, bin }) => selector.matchLabels['os'] !== 'windows' || /\.exe$/.test(bin),
  ],
]

const semanticVersion = /^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/

const supported = new Set([
  ...['386', 'amd64', 'arm64'].flatMap(arch => [`windows/${arch}`, `darwin/${arch}`]),
  ...['386', 'amd64', 'arm', 'arm64', 'ppc64le'].map(arch => `linux/${arch}`),
])

const pairOf = ({ selector }: PluginPlatform) => `${selector.matchLabels['os']}/${selector.matchLabels['arch']}`
const isMove = ({ from, to }: { from: string; to: string }) => Boolean(from && to)
const keysOf = (labels: object) => Object.keys(labels).sort().join()
const linesOf = (text = '') => text.split('\n')
