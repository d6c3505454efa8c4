import { expect, test } from 'vitest'
import { hasLocalRoute } from '../../../../src/vip/node/proc.ts'

/** As a kernel 6.1 writes them. */
const fibTrie = `Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.9
           /32 host LOCAL
     |-- 198.18.0.1
        /32 host LOCAL
     |-- 198.18.0.2
        /32 link UNICAST
     |-- 10.244.0.0
        /24 host LOCAL
`
const ipv6Route = `fd100000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00200200       lo
fd000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000002 00000000 80000001       lo
fd000000000000000000000000000003 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000002 00000000 00000001     eth0
`

test.each([
  ['198.18.0.1', true],
  ['198.18.0.2', false],
  ['198.18.0.3', false],
  ['10.244.0.0', false],
  ['0.0.0.9', false],
])('IPv4: %s is local: %s', (vip, wanted) => {
  expect(hasLocalRoute(fibTrie, vip)).toBe(wanted)
})

test.each([
  ['fd00::1', true],
  ['fd00::2', false],
  ['fd00::3', false],
  ['fd10::', false],
])('IPv6: %s is local: %s', (vip, wanted) => {
  expect(hasLocalRoute(ipv6Route, vip)).toBe(wanted)
})

test('nothing is local where nothing can be read', () => {
  expect(hasLocalRoute('', '198.18.0.1')).toBe(false)
  expect(hasLocalRoute('', 'fd00::1')).toBe(false)
})
