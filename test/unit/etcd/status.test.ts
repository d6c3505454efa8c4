import { describe, expect, test } from 'vitest'
import { formatBytes, formatShare } from '../../../src/etcd/bytes.ts'
import { UnreachableError } from '../../../src/etcd/client/errors.ts'
import type { StatusFacts } from '../../../src/etcd/findings.ts'
import { clusterStatus, formatAge } from '../../../src/etcd/status.ts'
import type { ClusterView } from '../../../src/etcd/view.ts'
import { dead, healthy, listed, memberStatus, viewOf } from './views.ts'

const now = new Date('2026-11-21T03:00:00Z')
const days = (count: number) => new Date(+now + count * 86_400_000)
const certificates = new Map([1, 2, 3].map(index => [`m${index}`, { expires: days(364) }]))
const facts = (over: Partial<StatusFacts> = {}): StatusFacts => ({
  cluster: 'karmada',
  certificates,
  machines: new Map(),
  alarms: [],
  quotaBytes: 8 * 2 ** 30,
  now,
  ...over,
})
const refused = new UnreachableError('connect ECONNREFUSED 10.0.0.3:2379', {
  endpoint: 'https://10.0.0.3:2379',
  failure: 'refused',
})
const silent = new UnreachableError('no answer in 5 s', { endpoint: 'https://10.0.0.3:2379', failure: 'timeout' })
const gib = 2 ** 30

interface Case {
  view: ClusterView
  facts?: Partial<StatusFacts>
  roles: string
  /** The first note of each row, where it has one. */
  notes: Record<string, string>
  summary: string | RegExp
  hint?: string | RegExp
}

const cases: Record<string, Case> = {
  'everything healthy': {
    view: viewOf([healthy(1), healthy(2), healthy(3)]),
    roles: 'follower leader follower',
    notes: {},
    summary: 'karmada: 3 of 3 voters healthy, leader m2, etcd 3.6.16',
  },
  'one dead: its row has the reason, the others stay': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    roles: 'follower leader down',
    notes: { m3: 'connection refused' },
    summary: 'karmada: 2 of 3 voters healthy, leader m2, etcd 3.6.16',
    hint: 'kubectl karmada-net etcd verify m3',
  },
  'one dead whose machine knows why': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    facts: { machines: new Map([['m3', { state: 'stopped', said: 'exit 137' }]]) },
    roles: 'follower leader down',
    notes: { m3: 'stopped: exit 137' },
    summary: /^karmada: 2 of 3/,
    hint: 'kubectl karmada-net etcd up starts it again; if its data is lost: kubectl karmada-net etcd member replace m3',
  },
  'one dead whose machine was wiped': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    facts: { machines: new Map([['m3', { state: 'absent' }]]) },
    roles: 'follower leader down',
    notes: { m3: 'its machine has nothing of it' },
    summary: /^karmada: 2 of 3/,
    hint: 'kubectl karmada-net etcd member replace m3',
  },
  'one dead of its own data': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    facts: { machines: new Map([['m3', { state: 'stopped', said: 'exit 2: panic: tocommit(9) is out of range' }]]) },
    roles: 'follower leader down',
    notes: { m3: 'stopped: panic: tocommit(9) is out of range' },
    summary: /^karmada: 2 of 3/,
    hint: 'kubectl karmada-net etcd member replace m3',
  },
  'one whose data is not that of the others': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    facts: {
      machines: new Map([
        ['m3', { state: 'stopped', said: 'exit 1: 28d2a4045b53eb64 found data inconsistency with peers' }],
      ]),
    },
    roles: 'follower leader down',
    notes: { m3: 'stopped: found data inconsistency with peers' },
    summary: /^karmada: 2 of 3/,
    hint: 'kubectl karmada-net etcd member replace m3',
  },
  'one dead of its full disk': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    facts: { machines: new Map([['m3', { state: 'stopped', said: 'exit 2: panic: write: no space left on device' }]]) },
    roles: 'follower leader down',
    notes: { m3: 'stopped: write: no space left on device' },
    summary: /^karmada: 2 of 3/,
    hint: 'make room on its machine, then: kubectl karmada-net etcd up',
  },
  'no quorum: says so first, and what brings it back': {
    view: viewOf([healthy(1, { status: memberStatus(1, { leader: 0n }) }), dead(2, silent), dead(3, refused)], {
      healthyVoters: 0,
      hasQuorum: false,
    }),
    roles: 'follower down down',
    notes: { m1: 'knows no leader', m2: 'no answer in time', m3: 'connection refused' },
    summary: 'karmada: no quorum: 0 of 3 voters healthy, writes are refused, etcd 3.6.16, no leader',
    hint: /^start m2 or m3 again .*; 2 must answer; if their data is lost: .* etcd recover --from m1 --dry-run$/,
  },
  'nobody answers': {
    view: viewOf([dead(1, refused), dead(2, refused), dead(3, refused)].map(({ member: _, ...rest }) => rest)),
    roles: 'down down down',
    notes: { m1: 'connection refused', m2: 'connection refused', m3: 'connection refused' },
    summary: 'karmada: no member answers, no leader',
    hint: 'start m1 or m2 or m3 again (kubectl karmada-net etcd up); 2 must answer',
  },
  learner: {
    view: viewOf([
      healthy(1),
      healthy(2),
      healthy(3, { member: listed(3, { isLearner: true }), status: memberStatus(3, { isLearner: true }) }),
    ]),
    roles: 'follower leader learner',
    notes: { m3: 'learner: no vote yet' },
    summary: /^karmada: 2 of 2 voters healthy/,
    hint: 'kubectl karmada-net etcd member promote m3',
  },
  'NOSPACE comes before all that is smaller': {
    view: viewOf([healthy(1), healthy(2, { status: memberStatus(2, { version: '3.6.11' }) }), dead(3, refused)]),
    facts: { alarms: [{ member: 1n, alarm: 'NOSPACE' }] },
    roles: 'follower leader down',
    notes: { m1: 'NOSPACE: writes refused', m2: 'older than 3.6.16', m3: 'connection refused' },
    summary: 'karmada: database full: writes are refused, 2 of 3 voters healthy, leader m2, etcd 3.6.11 and 3.6.16',
    hint: 'kubectl karmada-net etcd alarms --disarm',
  },
  'CORRUPT, and nobody can be compared': {
    view: viewOf([healthy(1), healthy(2), healthy(3)]),
    facts: { alarms: [{ member: 0n, alarm: 'CORRUPT' }] },
    roles: 'follower leader follower',
    notes: {},
    summary: /, CORRUPT: the data cannot be compared now$/,
    hint: 'kubectl karmada-net etcd verify',
  },
  'CORRUPT, and all have the same again': {
    view: viewOf([healthy(1), healthy(2), healthy(3)]),
    facts: {
      alarms: [{ member: 77n, alarm: 'CORRUPT' }],
      comparison: { revision: 9n, most: ['m1', 'm2', 'm3'], odd: [] },
    },
    roles: 'follower leader follower',
    notes: {},
    summary: /, CORRUPT, yet all have the same data$/,
    hint: 'kubectl karmada-net etcd alarms --disarm',
  },
  'CORRUPT, and the one that differs is down': {
    view: viewOf([healthy(1), healthy(2), dead(3, refused)]),
    facts: { alarms: [{ member: 3n, alarm: 'CORRUPT' }], comparison: { revision: 9n, most: ['m1', 'm2'], odd: [] } },
    roles: 'follower leader down',
    notes: { m3: 'connection refused' },
    summary: /, CORRUPT, yet those that answer have the same data$/,
    hint: 'kubectl karmada-net etcd verify m3',
  },
  'CORRUPT, and no majority tells whose data are right': {
    view: viewOf([healthy(1), healthy(2)]),
    facts: { alarms: [{ member: 0n, alarm: 'CORRUPT' }], comparison: { revision: 9n, most: [], odd: ['m1', 'm2'] } },
    roles: 'follower leader',
    notes: { m1: 'CORRUPT: its data differs', m2: 'CORRUPT: its data differs' },
    summary: /^karmada: corrupt data/,
    hint: 'kubectl karmada-net etcd verify',
  },
  'CORRUPT is cured by another member, and makes all unready': {
    view: viewOf(
      [1, 2, 3].map(index =>
        healthy(index, { readiness: { ready: false, failed: ['data_corruption failed: alarm activated: CORRUPT'] } }),
      ),
    ),
    facts: {
      alarms: [
        { member: 1n, alarm: 'NOSPACE' },
        // The leader's data differ, and etcd's periodic check believes the leader.
        { member: 3n, alarm: 'CORRUPT' },
      ],
      comparison: { revision: 900n, most: ['m1', 'm3'], odd: ['m2'] },
    },
    roles: 'follower leader follower',
    notes: { m1: 'NOSPACE: writes refused', m2: 'CORRUPT: its data differs' },
    summary: /^karmada: corrupt data: writes are refused, 3 of 3/,
    hint: 'kubectl karmada-net etcd member replace m2',
  },
  'a stranger that never started': {
    view: viewOf([healthy(1), healthy(2), healthy(3)], {
      strangers: [listed(9, { id: 0x9dn, name: '', isLearner: true })],
    }),
    roles: 'follower leader follower stranger',
    notes: { '9d': 'never started, not in the inventory' },
    summary: /^karmada: 3 of 3/,
    hint: '9d (https://10.0.0.9:2380) is in the member list alone: kubectl karmada-net etcd member remove 9d',
  },
  'not in the member list, and running all the same': {
    view: viewOf([healthy(1), healthy(2), healthy(3, { member: undefined })]),
    roles: 'follower leader absent',
    notes: { m3: 'runs, but not in the member list' },
    summary: /^karmada: 2 of 2/,
    hint: 'kubectl karmada-net etcd member replace m3',
  },
  'mixed versions': {
    view: viewOf([healthy(1), healthy(2), healthy(3, { status: memberStatus(3, { version: '3.5.33' }) })]),
    roles: 'follower leader follower',
    notes: { m3: 'older than 3.6.16' },
    summary: /etcd 3.5.33 and 3.6.16$/,
    hint: 'kubectl karmada-net etcd upgrade 3.6.16',
  },
  'certificates: one about to end, one that has, one that is foreign': {
    view: viewOf([healthy(1), healthy(2), healthy(3)]),
    facts: {
      certificates: new Map([
        ['m1', { expires: days(12) }],
        ['m2', { expires: days(-1) }],
        ['m3', { error: 'signed by another authority' }],
      ]),
    },
    roles: 'follower leader follower',
    notes: {
      m1: 'certificate ends in 12d',
      m2: 'certificate has expired',
      m3: 'certificate signed by another authority',
    },
    summary: /^karmada: 3 of 3/,
    hint: 'kubectl karmada-net etcd certs rotate',
  },
  'nearly full, of what is in use': {
    view: viewOf([
      healthy(1, { status: memberStatus(1, { dbSize: 7.5 * gib, dbSizeInUse: 7.2 * gib }) }),
      healthy(2),
      healthy(3),
    ]),
    roles: 'follower leader follower',
    notes: { m1: 'database 93% of its quota' },
    summary: /^karmada: 3 of 3/,
    hint: 'kubectl karmada-net etcd keys',
  },
  'nearly full, of free pages': {
    view: viewOf([
      healthy(1, { status: memberStatus(1, { dbSize: 7.5 * gib, dbSizeInUse: 1 * gib }) }),
      healthy(2),
      healthy(3),
    ]),
    roles: 'follower leader follower',
    notes: { m1: 'database 93% of its quota' },
    summary: /^karmada: 3 of 3/,
    hint: 'kubectl karmada-net etcd defrag',
  },
  'a quota that a member below 3.6 does not tell': {
    view: viewOf([healthy(1, { status: memberStatus(1, { dbSizeQuota: 0 }) }), healthy(2), healthy(3)]),
    facts: { quotaBytes: 100 * 2 ** 20 },
    roles: 'follower leader follower',
    notes: { m1: 'database 84% of its quota' },
    summary: /^karmada: 3 of 3/,
    hint: 'kubectl karmada-net etcd defrag',
  },
  'not ready, and behind': {
    view: viewOf([
      healthy(1, { readiness: { ready: false, failed: ['linearizable_read failed: etcdserver: request timed out'] } }),
      healthy(2, { status: memberStatus(2, { raftIndex: 9000n, raftAppliedIndex: 9000n }) }),
      healthy(3, { status: memberStatus(3, { raftAppliedIndex: 8990n }) }),
    ]),
    roles: 'follower leader follower',
    notes: { m1: 'not ready: linearizable_read' },
    summary: /^karmada: 3 of 3/,
    hint: 'kubectl karmada-net etcd verify m1',
  },
  'backups of three sites, of which each must be well': {
    view: viewOf([healthy(1), healthy(2), healthy(3)]),
    facts: {
      backup: {
        newest: days(-1),
        overdueAfterMs: 2 * 86_400_000,
        sites: [
          { context: 'a', found: { newest: days(-1), next: 'take one in a' } },
          { context: 'b', found: { newest: days(-3), next: 'take one in b' } },
          { context: 'c', found: { newest: days(-1), next: '', failed: { why: 'no room', next: 'logs of c' } } },
          { context: 'd', found: { newest: days(-3), next: 'take one in d' } },
          { context: 'e' },
        ],
      },
    },
    roles: 'follower leader follower',
    notes: {},
    summary:
      'karmada: 3 of 3 voters healthy, leader m2, etcd 3.6.16, backup overdue in b and d, backup failed (no room) in c, no backups are taken in e, newest backup 24h old',
    hint: 'take one in b',
  },
  'a backup that is overdue': {
    view: viewOf([healthy(1), healthy(2), healthy(3)]),
    facts: { backup: { newest: days(-3), overdueAfterMs: 2 * 86_400_000 } },
    roles: 'follower leader follower',
    notes: {},
    summary: 'karmada: 3 of 3 voters healthy, leader m2, etcd 3.6.16, backup overdue, newest backup 3d old',
    hint: 'kubectl karmada-net etcd snapshot save',
  },
}

describe('status', () => {
  for (const [title, { view, facts: over, roles, notes, summary, hint }] of Object.entries(cases)) {
    test(title, () => {
      const status = clusterStatus(view, facts(over))
      expect(status.members.map(({ role }) => role).join(' ')).toBe(roles)
      const first = status.members.flatMap(({ member, notes: [note] }) => (note === undefined ? [] : [[member, note]]))
      expect(Object.fromEntries(first)).toEqual(notes)
      if (typeof summary === 'string') expect(status.summary).toBe(summary)
      else expect(status.summary).toMatch(summary)
      if (hint === undefined) expect(status.hint).toBeUndefined()
      else if (typeof hint === 'string') expect(status.hint).toBe(hint)
      else expect(status.hint).toMatch(hint)
    })
  }

  test('a stopped member: its first words in the table, all of them for -o wide', () => {
    const said = 'exit 2: panic: tocommit(4120) is out of range [lastIndex(0)]\ngoroutine 1'
    const view = viewOf([healthy(1), healthy(2), dead(3, refused)])
    const { members } = clusterStatus(view, facts({ machines: new Map([['m3', { state: 'stopped', said }]]) }))
    expect(members[2]?.notes).toEqual(['stopped: panic: tocommit(4120) is out of ra…'])
    expect(members[2]?.error).toBe(`connect ECONNREFUSED 10.0.0.3:2379; ${said}`)
  })

  test('every note fits a table of 100 columns', () => {
    for (const { view, facts: over } of Object.values(cases))
      for (const { notes } of clusterStatus(view, facts(over)).members)
        for (const note of notes) expect(note.length, note).toBeLessThan(45)
  })

  test('its items can be written as JSON: ids in hex, big numbers as text', () => {
    const view = viewOf([healthy(1), healthy(2), healthy(3, { member: listed(3, { id: 0x8211f1d0f64f3269n }) })])
    const { members } = JSON.parse(JSON.stringify(clusterStatus(view, facts())))
    expect(members[2]).toMatchObject({ id: '8211f1d0f64f3269', raftIndex: '1000', raftLag: 0, latencyMs: 1.2 })
    expect(members[0].certificate).toEqual({ expires: '2027-11-20T03:00:00.000Z', daysLeft: 364 })
  })

  test('the lag is against whoever is ahead, not against itself', () => {
    const view = viewOf([healthy(1, { status: memberStatus(1, { raftAppliedIndex: 640n }) }), healthy(2)])
    expect(clusterStatus(view, facts()).members.map(({ raftLag }) => raftLag)).toEqual([360, 0])
  })
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 KiB'],
  [84 * 2 ** 20, '84 MiB'],
  [84.24 * 2 ** 20, '84.2 MiB'],
  [8 * gib, '8 GiB'],
  [412.4 * 2 ** 20, '412 MiB'],
  [1000 * 2 ** 20, '1 GiB'],
])('%d bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

test.each([
  [39 * 2 ** 20, 80 * 2 ** 20, '39 of 80 MiB'],
  [412 * 2 ** 20, 8 * gib, '412 MiB of 8 GiB'],
])('%d of %d reads %s', (part, whole, text) => expect(formatShare(part, whole)).toBe(text))

test.each([
  [5000, '5s'],
  [12 * 60_000, '12m'],
  [7 * 3_600_000, '7h'],
  [3 * 86_400_000, '3d'],
])('an age of %d ms reads %s', (age, text) => expect(formatAge(age)).toBe(text))
