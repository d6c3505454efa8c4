import { expect, test } from 'vitest'
import { defaultSettings, readSettings } from '../../../src/vip/settings.ts'

const least = { vip: '198.18.0.1', port: 6443 }
const read = (given: object) => readSettings(JSON.stringify(given))

test('address and port are enough', () => {
  expect(read(least)).toEqual({ ...defaultSettings, ...least })
})

test('what is given counts, in canonical form and once', () => {
  const given = {
    vip: 'fd00:0::1',
    port: 443,
    scheduler: 'rr',
    staticServers: ['[fd10:0::1]:6443', '[fd10::1]:6443', '[fd10::2]:6443'],
    drained: ['[fd10:0::2]:6443'],
    tlsServerName: 'api.example.com',
    probe: { connectEveryMs: 500, fall: 3 },
    drainMs: 0,
    statusPort: 9000,
  }
  expect(read(given)).toEqual({
    ...given,
    vip: 'fd00::1',
    staticServers: ['[fd10::1]:6443', '[fd10::2]:6443'],
    drained: ['[fd10::2]:6443'],
    probe: { ...defaultSettings.probe, connectEveryMs: 500, fall: 3 },
  })
})

test('a field of a newer plugin is no error', () => {
  expect(read({ ...least, colour: 'blue' })).toEqual({ ...defaultSettings, ...least })
})

test.each([
  [{ ...least, vip: undefined }, 'vip is missing'],
  [{ ...least, vip: 'api.example.com' }, 'vip is not an IP address: api.example.com'],
  [{ ...least, vip: '127.0.0.1' }, 'vip 127.0.0.1 is a loopback address'],
  [{ ...least, vip: '::1' }, 'vip ::1 is a loopback address'],
  [{ ...least, vip: '239.1.1.1' }, 'vip 239.1.1.1 is a multicast or reserved address'],
  [{ ...least, vip: 'fe80::1' }, 'vip fe80::1 is a link-local address'],
  [{ ...least, port: undefined }, 'port is missing'],
  [{ ...least, port: '6443' }, 'port is not a port: "6443"'],
  [{ ...least, port: 65_536 }, 'port is not a port: 65536'],
  [{ ...least, scheduler: 'sh' }, 'scheduler is none of rr, lc, wlc, mh: "sh"'],
  [{ ...least, staticServers: '10.0.0.1:6443' }, 'staticServers is not a list'],
  [{ ...least, staticServers: ['10.0.0.1'] }, 'staticServers[0] is not an IP address and a port: 10.0.0.1'],
  [{ ...least, staticServers: ['[fd00::1]:6443'] }, 'staticServers[0] [fd00::1]:6443 is of another IP family'],
  [{ ...least, drained: ['198.18.0.1:6443'] }, 'drained[0] 198.18.0.1:6443 is the virtual IP itself'],
  [{ ...least, probe: { fall: 0 } }, 'probe.fall is not a whole number of 1 or more: 0'],
  [{ ...least, probe: 3 }, 'probe is not an object'],
  [{ ...least, drainMs: '60s' }, 'drainMs is not a whole number of 0 or more: "60s"'],
  [{ ...least, statusPort: 6443 }, 'statusPort is the port of the virtual IP too: 6443'],
  [[], 'the whole is not an object'],
])('%j: %s', (given, wanted) => {
  expect(() => read(given)).toThrow(`settings of the virtual IP: ${wanted}`)
})

test('what is not JSON is said to be that', () => {
  expect(() => readSettings('vip: 198.18.0.1')).toThrow('settings of the virtual IP: not JSON')
})
