import { expect, test } from 'vitest'
import { endpointsOf, type Known, learn, type Slice } from '../../../../src/vip/discovery/known.ts'

const slice = (addresses: string[], more: Partial<Slice> = {}): Slice => ({
  addressType: 'IPv4',
  ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
  ...more,
})

test('endpoints are addresses with the port named https, sorted, each once', () => {
  const ports = [
    { name: 'metrics', port: 9090, protocol: 'TCP' },
    { name: 'https', port: 6443, protocol: 'TCP' },
  ]
  const slices = [slice(['10.0.0.2', '10.0.0.1'], { ports }), slice(['10.0.0.1'])]
  expect(endpointsOf(slices, 'ipv4')).toEqual(['10.0.0.1:6443', '10.0.0.2:6443'])
})

test.each<[string, Slice]>([
  ['of the other family', slice(['fd00::1'], { addressType: 'IPv6' })],
  ['without a port', slice(['10.0.0.1'], { ports: null })],
  ['with a UDP port only', slice(['10.0.0.1'], { ports: [{ port: 6443, protocol: 'UDP' }] })],
  ['without endpoints', slice([], { endpoints: null })],
  ['not ready', slice([], { endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] })],
])('a slice %s has none', (_, given) => {
  expect(endpointsOf([given], 'ipv4')).toEqual([])
})

test('an endpoint that says nothing about being ready is ready', () => {
  expect(endpointsOf([slice([], { endpoints: [{ addresses: ['fd00:0::1'] }] })], 'ipv6')).toEqual(['[fd00::1]:6443'])
})

const known: Known = { current: ['10.0.0.1:6443', '10.0.0.2:6443'], former: new Map() }

test('an empty answer is no news', () => {
  expect(learn(known, [], 1000, 60_000)).toEqual(known)
})

test('who has left is remembered for a while, and forgotten when it is back', () => {
  const moved = learn(known, ['10.0.0.1:6443', '10.0.0.3:6443'], 1000, 60_000)
  expect(moved.current).toEqual(['10.0.0.1:6443', '10.0.0.3:6443'])
  expect([...moved.former]).toEqual([['10.0.0.2:6443', 1000]])
  expect([...learn(moved, moved.current, 30_000, 60_000).former]).toEqual([['10.0.0.2:6443', 1000]])
  expect([...learn(moved, moved.current, 61_000, 60_000).former]).toEqual([])
  expect([...learn(moved, known.current, 2000, 60_000).former]).toEqual([['10.0.0.3:6443', 2000]])
})
