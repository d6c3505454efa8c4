import { expect, test } from 'vitest'
import type { ClusterState } from '../../../../src/etcd/cluster.ts'
import { bumpFor, restoreArgs, restoredId, restoredState } from '../../../../src/etcd/restore/plan.ts'
import { spec } from '../member/views.ts'

const billion = 1_000_000_000n

test.each<[string, bigint, bigint | undefined, number, bigint]>([
  ['the first restore', 1000n, 5000n, 1, billion],
  ['of a cluster that is behind its snapshot: another one, or made anew', 1000n, 10n, 1, billion],
  // What was written after the first restore was seen by clients, too.
  ['of the same snapshot again', 1000n, billion + 5000n, 2, 2n * billion],
  ['of the same snapshot a third time', 1000n, 2n * billion + 1001n, 3, 3n * billion],
  ['of one taken after a restore', billion + 10n, billion + 20n, 2, billion],
  ['nobody tells how far it went', 1000n, undefined, 1, billion],
  ['nobody tells, and it was restored before', 1000n, undefined, 3, 3n * billion],
])('%s', (_, snapshot, current, restores, bump) => {
  expect(bumpFor(snapshot, current, restores)).toBe(bump)
  if (current !== undefined) expect(snapshot + bump).toBeGreaterThan(current)
})

const state: ClusterState = {
  spec: {
    name: 'karmada',
    version: '3.6.16',
    image: 'etcd',
    keyType: 'ecdsa-p256',
    ports: { client: 2379, peer: 2380, metrics: 2381 },
    tuning: { quotaBytes: 1, heartbeatMs: 100, electionMs: 1000, snapshotCount: 1, extraArgs: [] },
    consumers: [],
    members: [spec('m1'), spec('m2'), spec('m3')],
  },
  token: 'karmada-1a2b',
  formed: true,
  members: {
    m1: { generation: 1, version: '3.6.16' },
    m2: { generation: 4, version: '3.6.16' },
    m3: { generation: 1, version: '3.6.16' },
  },
}

test('a restore begins in unused directories, under a token of its own', () => {
  const started = { m1: { version: '3.6.16', image: 'etcd', generation: 2, args: [] } }
  const once = restoredState(state, [spec('m1'), spec('m2')], started)
  expect(once.token).toBe('karmada-1a2b-r1')
  expect(Object.values(once.members).map(({ generation }) => generation)).toEqual([3, 5, 1])
  expect(restoredState(once, [], {}).token).toBe('karmada-1a2b-r2')
})

test('etcdutl is told the members of the new cluster alone', () => {
  const members = [spec('m1'), spec('m3')]
  const args = restoreArgs(state, spec('m3'), members, { snapshot: '/s.db', dataDir: '/data/2', bump: billion })
  expect(args.join(' ')).toBe(
    'snapshot restore /s.db --name=m3 --data-dir=/data/2 ' +
      '--initial-cluster=m1=https://10.0.0.1:2380,m3=https://10.0.0.3:2380 --initial-cluster-token=karmada-1a2b ' +
      '--initial-advertise-peer-urls=https://10.0.0.3:2380 --bump-revision=1000000000 --mark-compacted',
  )
})

test('each restore gives a member an id of its own', () => {
  const [m1 = spec('m1'), m2 = spec('m2')] = state.spec.members
  const ids = [restoredId(state, m1), restoredId(state, m2), restoredId({ ...state, token: 'karmada-1a2b-r1' }, m1)]
  expect(new Set(ids).size).toBe(3)
})
