import { describe, expect, test } from 'vitest'
import type { ClusterSpec } from '../../../src/etcd/cluster.ts'
import type { Found } from '../../../src/etcd/drivers/driver.ts'
import { mergeSpec } from '../../../src/etcd/up/plan.ts'
import { obstacles } from '../../../src/etcd/up/preflight.ts'
import { clusterSpec, clusterState, memberSpec } from './spec.ts'

describe('an inventory against what is known', () => {
  const formed = clusterState({}, { formed: true })

  test('settings are taken over, members stay in their generation', () => {
    const state = { ...formed, members: { ...formed.members, m2: { generation: 3, version: '3.6.16' } } }
    const tuning = { ...state.spec.tuning, quotaBytes: 4 * 2 ** 30 }
    expect(mergeSpec(state, clusterSpec({ tuning }))).toEqual({ ...state, spec: clusterSpec({ tuning }) })
  })

  test('what it does not say of backups does not end them', () => {
    const backup = { schedule: '6h', keep: 7, directory: '/backup' }
    const backedUp = clusterState({ backup }, { formed: true })
    expect(mergeSpec(backedUp, clusterSpec()).spec.backup).toEqual(backup)
    const other = { ...backup, keep: 9 }
    expect(mergeSpec(backedUp, clusterSpec({ backup: other })).spec.backup).toEqual(other)
  })

  test.for<[string, Partial<ClusterSpec>, string, string]>([
    [
      'a member more',
      { members: ['m1', 'm2', 'm3', 'm4'].map(name => memberSpec(name)) },
      'm4 is not a member of karmada yet',
      'etcd member add m4=10.0.0.4',
    ],
    ['a member less', { members: [memberSpec('m1'), memberSpec('m2')] }, 'm3 is a member of karmada', 'remove m3'],
    [
      'a member elsewhere',
      { members: [memberSpec('m1'), memberSpec('m2'), memberSpec('m3', { address: '10.9.9.9' })] },
      'm3 has the address 10.0.0.3, not 10.9.9.9',
      'replace m3',
    ],
    ['another version', { version: '3.6.17' }, 'karmada runs etcd 3.6.16, not 3.6.17', 'etcd upgrade 3.6.17'],
  ])('%s has a command of its own', ([, change, message, hint]) => {
    expect(() => mergeSpec(formed, clusterSpec(change))).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), hint: expect.stringContaining(hint) }),
    )
  })

  test('before it has formed anything may change', () => {
    const begun = clusterState()
    const other = clusterSpec({ version: '3.6.17', members: ['m1', 'm4'].map(name => memberSpec(name)) })
    expect(mergeSpec(begun, other)).toEqual({
      ...begun,
      spec: other,
      members: { m1: { generation: 1, version: '3.6.17' }, m4: { generation: 1, version: '3.6.17' } },
    })
  })
})

test.for<[string, Found, boolean, string[]]>([
  ['nothing is there yet', { state: 'absent' }, false, []],
  ['all is well', { state: 'running', clockSkewMs: -900, freeBytes: 2 ** 40 }, true, []],
  [
    'somebody else’s container',
    { state: 'absent', foreign: 'container "x" is not ours' },
    false,
    ['container "x" is not ours'],
  ],
  [
    'its data is gone',
    { state: 'absent' },
    true,
    ['what it had stored is gone; started empty it would break what it has promised'],
  ],
  ['a clock ahead', { state: 'absent', clockSkewMs: 61_000 }, false, ["its clock is 61 s ahead of this machine's"]],
  ['a clock behind', { state: 'absent', clockSkewMs: -7000 }, false, ["its clock is 7 s behind this machine's"]],
  ['no room', { state: 'absent', freeBytes: 10 * 2 ** 20 }, false, ['only 10 MiB are free where its data lies']],
])('in the way: %s', ([, found, formed, expected]) => {
  expect(obstacles(memberSpec('m1'), found, { formed }).map(({ text }) => text)).toEqual(expected)
})
