import { expect, test } from 'vitest'
import { canonicalHost, familyOf, formatEndpoint, isInside, parseEndpoint } from '../../../src/vip/address.ts'

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['fd00:0:0:0::1', 'fd00::1'],
  ['FD00::00A1', 'fd00::a1'],
  ['fe80::1%eth0', undefined],
  ['010.0.0.1', undefined],
  ['api.example.com', undefined],
  ['', undefined],
])('the canonical form of "%s" is %s', (host, wanted) => {
  expect(canonicalHost(host)).toBe(wanted)
})

test.each([
  ['10.0.0.1:6443', '10.0.0.1:6443'],
  ['[fd00:0::1]:6443', '[fd00::1]:6443'],
  ['fd00::1:6443', undefined],
  ['[10.0.0.1]:6443', undefined],
  ['10.0.0.1', undefined],
  ['10.0.0.1:0', undefined],
  ['10.0.0.1:65536', undefined],
  ['10.0.0.1:6443 ', undefined],
  ['api.example.com:6443', undefined],
])('"%s" is the endpoint %s', (text, wanted) => {
  const endpoint = parseEndpoint(text)
  expect(endpoint && formatEndpoint(endpoint)).toBe(wanted)
})

test.each([
  ['10.96.0.1', '10.96.0.0/12', true],
  ['10.112.0.1', '10.96.0.0/12', false],
  ['fd00:1::5', 'fd00:1::/64', true],
  ['fd00:2::5', 'fd00:1::/64', false],
  ['10.0.0.1', 'fd00::/8', false],
  ['10.0.0.1', '10.0.0.1', false],
  ['10.0.0.1', '10.0.0.0/33', false],
])('%s inside %s: %s', (host, cidr, wanted) => {
  expect(isInside(host, cidr)).toBe(wanted)
})

test('a name has no family', () => {
  expect(familyOf('localhost')).toBeUndefined()
})
