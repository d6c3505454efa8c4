import { describe, expect, test } from 'vitest'
import type { Health, HealthState } from '../../../src/vip/health/judge.ts'
import { bootServers, verdicts } from '../../../src/vip/servers.ts'

const at = (last: string) => `10.0.0.${last}:6443`

interface World {
  /** `1 2 3`: 10.0.0.1:6443 and so on. */
  discovered?: string
  fixed?: string
  drained?: string
  /** `1=up 2=down`; since 1000 ms. */
  health?: string
  present?: string
  /** `3`: left at 1000 ms. */
  left?: string
  nowMs?: number
}

function weights(world: World): string {
  const words = (text = '') => text.split(' ').filter(Boolean)
  const health = words(world.health).map((one): [string, Health] => {
    const [last = '', state] = one.split('=')
    const never = { ok: true, count: 0 }
    return [at(last), { state: state as HealthState, changedMs: 1000, connect: never, ready: never }]
  })
  return verdicts({
    settings: { staticServers: words(world.fixed).map(at), drained: words(world.drained).map(at), drainMs: 60_000 },
    known: {
      current: words(world.discovered).map(at),
      former: new Map(words(world.left).map(last => [at(last), 1000])),
    },
    health: new Map(health),
    present: new Set(words(world.present).map(at)),
    nowMs: world.nowMs ?? 2000,
  })
    .filter(({ keep }) => keep)
    .map(({ address, weight }) => `${address.slice(7, -5)}=${weight}`)
    .join(' ')
}

describe('who gets connections', () => {
  test.each<[string, World, string]>([
    ['everybody is up', { discovered: '1 2 3', health: '1=up 2=up 3=up' }, '1=1 2=1 3=1'],
    ['one is down: it goes', { discovered: '1 2 3', health: '1=up 2=down 3=up' }, '1=1 3=1'],
    ['one is not ready: it keeps what it has', { discovered: '1 2', health: '1=up 2=draining' }, '1=1 2=0'],
    [
      'one has not been ready for long: it goes',
      { discovered: '1 2', health: '1=up 2=draining', nowMs: 61_000 },
      '1=1',
    ],
    ['one is drained by hand', { discovered: '1 2', health: '1=up 2=up', drained: '2' }, '1=1 2=0'],
    ['one is drained by hand, and down', { discovered: '1 2', health: '1=up 2=down', drained: '2' }, '1=1'],
    ['the static list counts as well', { discovered: '1', fixed: '1 2', health: '1=up 2=up' }, '1=1 2=1'],
    ['we come to a table that is there: nobody goes', { discovered: '1 2', present: '1 2' }, '1=1 2=1'],
    ['a newcomer is judged first', { discovered: '1 2', health: '1=up', present: '1' }, '1=1'],
    ['nobody is judged yet: everybody', { discovered: '1 2' }, '1=1 2=1'],
    [
      'one has left the cluster: it keeps what it has',
      { discovered: '1', left: '2', health: '1=up 2=up', present: '1 2' },
      '1=1 2=0',
    ],
    [
      'one has left the cluster, and is down',
      { discovered: '1', left: '2', health: '1=up 2=down', present: '1 2' },
      '1=1',
    ],
    [
      'one has left the cluster long ago',
      { discovered: '1', left: '2', health: '1=up 2=up', present: '1 2', nowMs: 61_000 },
      '1=1',
    ],
    [
      'one has left the cluster, but is on the static list',
      { discovered: '1', left: '2', fixed: '2', health: '1=up 2=up' },
      '1=1 2=1',
    ],
    ['nobody is known', {}, ''],
  ])('%s', (_, world, wanted) => {
    expect(weights(world)).toBe(wanted)
  })
})

describe('somebody always has weight', () => {
  test.each<[string, World, string]>([
    ['all are down', { discovered: '1 2 3', health: '1=down 2=down 3=down' }, '1=1 2=1 3=1'],
    ['the last one that is up counts alone', { discovered: '1 2', health: '1=down 2=up' }, '2=1'],
    ['nobody is ready, but one accepts', { discovered: '1 2', health: '1=down 2=draining' }, '2=1'],
    ['the last one that is up is drained', { discovered: '1 2', health: '1=down 2=up', drained: '2' }, '2=1'],
    ['all are drained', { discovered: '1 2', health: '1=up 2=up', drained: '1 2' }, '1=1 2=1'],
    [
      'drained and well is better than not ready',
      { discovered: '1 2', health: '1=draining 2=up', drained: '2' },
      '1=0 2=1',
    ],
    ['a newcomer is better than nobody', { discovered: '1 2', health: '1=down' }, '2=1'],
  ])('%s', (_, world, wanted) => {
    expect(weights(world)).toBe(wanted)
  })
})

test('a boot begins with everybody, whatever was thought of them', () => {
  const settings = { staticServers: [at('9'), at('1')], drained: [at('1')], drainMs: 0 }
  const known = { current: [at('1'), at('2')], former: new Map([[at('3'), 0]]) }
  expect(bootServers({ settings, known })).toEqual([at('1'), at('2'), at('9')])
})
