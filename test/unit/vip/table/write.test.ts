import { describe, expect, test } from 'vitest'
import { parseEndpoint } from '../../../../src/vip/address.ts'
import type { Scheduler } from '../../../../src/vip/settings.ts'
import type { RealServer, VirtualServer } from '../../../../src/vip/table/read.ts'
import { tableLines, type WantedTable } from '../../../../src/vip/table/write.ts'

const vip = { host: '198.18.0.1', port: 6443 }
/** `1=1 2=0`: 10.0.0.1 with weight 1, 10.0.0.2 with weight 0. */
const servers = (short: string) =>
  short
    .split(' ')
    .filter(Boolean)
    .map(one => {
      const [last, weight] = one.split('=')
      return { host: `10.0.0.${last}`, port: 6443, weight: Number(weight) }
    })
const wanted = (short: string, scheduler: Scheduler = 'lc'): WantedTable => ({
  ...vip,
  scheduler,
  realServers: servers(short),
})
const found = (short: string, more: Partial<VirtualServer> = {}): VirtualServer => ({
  ...vip,
  protocol: 'TCP',
  scheduler: 'lc',
  flags: '',
  realServers: servers(short).map(
    server => ({ ...server, forward: 'Masq', active: 0, inactive: 0 }) satisfies RealServer,
  ),
  ...more,
})
const T = '-t 198.18.0.1:6443'
const R = (last: number) => `-r 10.0.0.${last}:6443`

describe('the lines that make a table as wanted', () => {
  test.each<[string, WantedTable, VirtualServer | undefined, string[]]>([
    [
      'nothing is there',
      wanted('1=1 2=0'),
      undefined,
      [`-A ${T} -s lc`, `-a ${T} ${R(1)} -m -w 1`, `-a ${T} ${R(2)} -m -w 0`],
    ],
    ['all is as wanted', wanted('1=1 2=1'), found('2=1 1=1'), []],
    ['one is missing', wanted('1=1 2=1'), found('1=1'), [`-a ${T} ${R(2)} -m -w 1`]],
    ['one is too many', wanted('1=1'), found('1=1 2=1'), [`-d ${T} ${R(2)}`]],
    ['one is drained', wanted('1=1 2=0'), found('1=1 2=1'), [`-e ${T} ${R(2)} -m -w 0`]],
    [
      'one comes, one is drained and one goes: in this order',
      wanted('1=0 2=1 4=1'),
      found('1=1 2=1 3=1'),
      [`-a ${T} ${R(4)} -m -w 1`, `-e ${T} ${R(1)} -m -w 0`, `-d ${T} ${R(3)}`],
    ],
    [
      'others are wanted altogether: the old ones stay until a new one is there',
      wanted('3=1 4=1'),
      found('1=1 2=1'),
      [`-a ${T} ${R(3)} -m -w 1`, `-a ${T} ${R(4)} -m -w 1`],
    ],
    ['a new one is there', wanted('3=1'), found('1=1 3=1'), [`-d ${T} ${R(1)}`]],
    ['nobody is wanted: nobody goes', wanted(''), found('1=1'), []],
    ['nobody is wanted, and nothing is there', wanted(''), undefined, []],
    ['the scheduler is another', wanted('1=1'), found('1=1', { scheduler: 'rr' }), [`-E ${T} -s lc`]],
    ['it has become persistent', wanted('1=1'), found('1=1', { flags: 'persistent 300 FFFFFFFF' }), [`-E ${T} -s lc`]],
    ['mh brings its fallback', wanted('1=1', 'mh'), found('1=1'), [`-E ${T} -s mh -b mh-fallback`]],
    [
      'a server was turned to direct routing',
      wanted('1=1'),
      found('', {
        realServers: [{ host: '10.0.0.1', port: 6443, weight: 1, forward: 'Route', active: 0, inactive: 0 }],
      }),
      [`-e ${T} ${R(1)} -m -w 1`],
    ],
  ])('%s', (_, want, have, lines) => {
    expect(tableLines(want, have)).toEqual(lines)
  })

  test('IPv6 addresses stand in brackets', () => {
    const endpoint = parseEndpoint('[fd10::2]:6443') ?? vip
    const table: WantedTable = {
      host: 'fd00::1',
      port: 443,
      scheduler: 'rr',
      realServers: [{ ...endpoint, weight: 1 }],
    }
    expect(tableLines(table, undefined)).toEqual([
      '-A -t [fd00::1]:443 -s rr',
      '-a -t [fd00::1]:443 -r [fd10::2]:6443 -m -w 1',
    ])
  })
})
