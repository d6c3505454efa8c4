import { expect, test } from 'vitest'
import { countServers, findServer, hexEndpoint, parseTable } from '../../../../src/vip/table/read.ts'

/** As a kernel 6.1 writes it. */
const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A090909:0050 wlc  persistent 75000 FFFFFFFF
FWM  00000007 rr 
  -> 0A000003:0050      Route   1      0          0         
UDP  0A090909:0035 rr ops  
TCP  C6120001:192B lc  
  -> 0A000002:192B      Masq    0      3          0         
  -> 0A000001:192B      Masq    1      12         345         
TCP  C6120001:192C lc  
TCP  [fd00:0000:0000:0000:0000:0000:0000:0001]:192B rr 
  -> [fd10:0000:0000:0000:0000:0000:0000:0002]:192B      Masq    1      0          0         
`

test('a table of both families is read, real servers under their virtual server', () => {
  expect(parseTable(text)).toEqual([
    {
      protocol: 'TCP',
      host: '10.9.9.9',
      port: 80,
      scheduler: 'wlc',
      flags: 'persistent 75000 FFFFFFFF',
      realServers: [],
    },
    { protocol: 'UDP', host: '10.9.9.9', port: 53, scheduler: 'rr', flags: 'ops', realServers: [] },
    {
      protocol: 'TCP',
      host: '198.18.0.1',
      port: 6443,
      scheduler: 'lc',
      flags: '',
      realServers: [
        { host: '10.0.0.2', port: 6443, forward: 'Masq', weight: 0, active: 3, inactive: 0 },
        { host: '10.0.0.1', port: 6443, forward: 'Masq', weight: 1, active: 12, inactive: 345 },
      ],
    },
    { protocol: 'TCP', host: '198.18.0.1', port: 6444, scheduler: 'lc', flags: '', realServers: [] },
    {
      protocol: 'TCP',
      host: 'fd00::1',
      port: 6443,
      scheduler: 'rr',
      flags: '',
      realServers: [{ host: 'fd10::2', port: 6443, forward: 'Masq', weight: 1, active: 0, inactive: 0 }],
    },
  ])
})

test.each([
  [{ host: '198.18.0.1', port: 6443 }, 2],
  [{ host: '198.18.0.1', port: 6444 }, 0],
  [{ host: 'fd00::1', port: 6443 }, 1],
])('%j is found with %i real servers', (address, servers) => {
  expect(findServer(text, address)).toMatchObject(address)
  expect(findServer(text, address)?.realServers).toHaveLength(servers)
})

test.each([[{ host: '10.9.9.9', port: 53 }], [{ host: '198.18.0.1', port: 443 }], [{ host: '10.0.0.1', port: 6443 }]])(
  '%j is no TCP virtual server',
  address => {
    expect(findServer(text, address)).toBeUndefined()
  },
)

test('an empty table has no virtual server', () => {
  const empty = text.split('\n').slice(0, 3).join('\n')
  expect(findServer(empty, { host: '198.18.0.1', port: 6443 })).toBeUndefined()
  expect(countServers(empty)).toBe(0)
  expect(countServers(text)).toBe(6)
})

test.each([
  ['10.0.0.1', '0A000001:192B'],
  ['fd00::1', '[fd00:0000:0000:0000:0000:0000:0000:0001]:192B'],
  ['::1', '[0000:0000:0000:0000:0000:0000:0000:0001]:192B'],
  ['fd00:1:2:3:4:5:6:7', '[fd00:0001:0002:0003:0004:0005:0006:0007]:192B'],
])('the kernel writes %s as %s', (host, hex) => {
  expect(hexEndpoint({ host, port: 6443 })).toBe(hex)
})
