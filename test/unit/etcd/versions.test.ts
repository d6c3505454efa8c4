import { describe, expect, test } from 'vitest'
import { compareVersions, imageOf, parseVersion, whyNotUpgrade } from '../../../src/etcd/versions.ts'

const facts = (versions: string[], target: string, cluster: string) => ({
  target,
  cluster,
  members: versions.map((version, index) => ({ name: `m${index + 1}`, version })),
})
const all = (version: string) => [version, version, version]

describe('an upgrade may go', () => {
  test.each([
    ['to the next minor', all('3.5.33'), '3.6.16', '3.5.0'],
    ['from the oldest 3.5 that can', all('3.5.32'), '3.6.16', '3.5.0'],
    ['from the oldest 3.6 that can', all('3.6.11'), '3.7.1', '3.6.0'],
    ['on from its middle', ['3.6.16', '3.5.33', '3.5.33'], '3.6.16', '3.5.0'],
    ['on from its end, the cluster not raised yet', all('3.6.16'), '3.6.16', '3.5.0'],
    ['to a patch', all('3.6.11'), '3.6.16', '3.6.0'],
    ['to a patch from different ones', ['3.5.9', '3.5.20', '3.5.33'], '3.5.33', '3.5.0'],
    ['back to an older patch', all('3.6.16'), '3.6.14', '3.6.0'],
    ['back from its middle', ['3.6.16', '3.5.33', '3.5.33'], '3.5.33', '3.5.0'],
    ['back while the cluster is not raised', all('3.6.16'), '3.5.33', '3.5.0'],
    ['from the release before the oldest that has a rule', all('3.4.34'), '3.5.33', '3.4.0'],
  ])('%s', (_, versions, target, cluster) => {
    expect(whyNotUpgrade(facts(versions, target, cluster))).toBeUndefined()
  })
})

describe('an upgrade is refused', () => {
  test.each([
    ['two minors at once', all('3.5.33'), '3.7.1', '3.5.0', 'from 3.5 to 3.7 is more than one minor', '3.6.16 first'],
    ['to another major', all('3.6.16'), '4.0.0', '3.6.0', 'more than one minor', '3.7.1 first'],
    [
      'with a 3.5 that is too old',
      ['3.5.33', '3.5.31', '3.5.33'],
      '3.6.16',
      '3.5.0',
      'm1 3.5.33, m2 3.5.31',
      'etcd upgrade 3.5.33',
    ],
    ['with only old ones', all('3.5.31'), '3.6.16', '3.5.0', '3.5.32 or later', 'etcd upgrade 3.5.33 first'],
    ['with a 3.6 that is too old', all('3.6.10'), '3.7.1', '3.6.0', '3.6.11 or later', 'etcd upgrade 3.6.16 first'],
    ['with a late-comer that is too old', ['3.6.16', '3.5.9'], '3.6.16', '3.5.0', 'm2 3.5.9', 'etcd upgrade 3.5.33'],
    ['back once the cluster is raised', all('3.6.16'), '3.5.33', '3.6.0', 'no way back by binary', 'snapshot restore'],
    [
      'of members on both sides of the target',
      ['3.7.1', '3.5.33', '3.5.33'],
      '3.6.16',
      '3.5.0',
      'different versions',
      'etcd upgrade 3.7.1',
    ],
  ])('%s', (_, versions, target, cluster, text, hint) => {
    const refusal = whyNotUpgrade(facts(versions, target, cluster))
    expect(refusal?.text).toContain(text)
    expect(refusal?.hint).toContain(hint)
  })
})

test.each([
  ['3.6.16', '3.6.16'],
  ['v3.6.16', '3.6.16'],
  ['3.6', undefined],
  ['3.7.0-rc.0', undefined],
  ['latest', undefined],
])('a version given as %s', (text, version) => {
  expect(parseVersion(text)).toBe(version)
})

test('patches are compared as numbers', () => {
  expect(['3.5.9', '3.5.33', '3.10.0', '3.6.1'].sort(compareVersions)).toEqual(['3.5.9', '3.5.33', '3.6.1', '3.10.0'])
})

test.each([
  ['gcr.io/etcd-development/etcd', 'gcr.io/etcd-development/etcd:v3.6.16'],
  ['mirror:5000/etcd', 'mirror:5000/etcd:v3.6.16'],
  ['mirror:5000/etcd:v3.6.16-site', 'mirror:5000/etcd:v3.6.16-site'],
])('the image of %s', (image, reference) => {
  expect(imageOf(image, '3.6.16')).toBe(reference)
})
