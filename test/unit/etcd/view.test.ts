import { expect, test } from 'vitest'
import type { EtcdMember, MemberStatus } from '../../../src/etcd/client/types.ts'
import type { ClusterSpec, MemberSpec } from '../../../src/etcd/cluster.ts'
import { compared, whoDiffers } from '../../../src/etcd/same-data.ts'
import { type Asked, clusterView } from '../../../src/etcd/view.ts'
import { agreedLeader } from '../../../src/etcd/waits.ts'

const specOf = (id: number): MemberSpec => ({
  name: `m${id}`,
  address: `10.0.0.${id}`,
  site: `m${id}`,
  driver: { kind: 'docker' },
})
const spec = { ports: { client: 2379, peer: 2380, metrics: 2381 } } as ClusterSpec
const entry = (id: number, more: Partial<EtcdMember> = {}): EtcdMember => ({
  id: BigInt(id),
  name: `m${id}`,
  peerUrls: [`https://10.0.0.${id}:2380`],
  clientUrls: [`https://10.0.0.${id}:2379`],
  isLearner: false,
  ...more,
})
const three = [entry(1), entry(2), entry(3)]

function says(id: number, status: Partial<MemberStatus>, list: EtcdMember[] | undefined = three): Asked {
  const whole = { id: BigInt(id), leader: 1n, isLearner: false, raftAppliedIndex: 10n, errors: [], ...status }
  return { spec: specOf(id), status: whole as unknown as MemberStatus, list }
}
const silent = (id: number): Asked => ({ spec: specOf(id), error: new Error('connection refused') })

test('three that follow one', () => {
  const view = clusterView(spec, [says(1, {}), says(2, {}), says(3, {})])
  expect(view).toMatchObject({ voters: 3, healthyVoters: 3, hasQuorum: true, strangers: [] })
  expect(view.leader?.spec.name).toBe('m1')
})

test('two of three are enough, one is not', () => {
  expect(clusterView(spec, [says(1, {}), says(2, {}), silent(3)])).toMatchObject({ healthyVoters: 2, hasQuorum: true })
  // Just cut off, it still takes itself for the leader.
  expect(clusterView(spec, [says(1, {}), silent(2), silent(3)])).toMatchObject({ healthyVoters: 1, hasQuorum: false })
})

test('an alarm does not make a voter ill, no leader does', () => {
  const alarm = ['memberID:2 alarm:NOSPACE ']
  expect(clusterView(spec, [says(1, { errors: alarm }), says(2, { errors: alarm }), silent(3)]).hasQuorum).toBe(true)
  const lost = { leader: 0n, errors: ['etcdserver: no leader'] }
  expect(clusterView(spec, [says(1, {}), says(2, {}), says(3, lost)])).toMatchObject({ healthyVoters: 2 })
})

test('where nobody leads there is neither leader nor quorum, but the list is known', () => {
  const view = clusterView(spec, [says(1, { leader: 0n }), says(2, { leader: 0n }), silent(3)])
  expect(view).toMatchObject({ leader: undefined, voters: 3, healthyVoters: 0, hasQuorum: false })
})

test('a learner does not count, a stranger is named, and who is not in the list has no entry', () => {
  const list = [entry(1), entry(2, { isLearner: true }), entry(9, { name: '' })]
  const view = clusterView(spec, [says(1, {}, list), says(2, { isLearner: true }, undefined), says(3, {}, list)])
  expect(view).toMatchObject({ voters: 2, healthyVoters: 1, hasQuorum: false, strangers: [list[2]] })
  expect(view.members.map(({ member }) => member?.id)).toEqual([1n, 2n, undefined])
})

test('a member that never started is known by its address', () => {
  const list = [entry(1), entry(7, { name: '', peerUrls: ['https://10.0.0.2:2380'], isLearner: true })]
  const view = clusterView(spec, [says(1, {}, list), silent(2)])
  expect(view.members[1]?.member?.id).toBe(7n)
  expect(view.strangers).toEqual([])
})

test('the list of a member that was cut off long ago does not count', () => {
  const old = [entry(1), entry(2), entry(3), entry(4)]
  const view = clusterView(spec, [says(3, { leader: 0n, raftAppliedIndex: 2n }, old), says(1, {}), says(2, {})])
  expect(view.voters).toBe(3)
  const leaderless = clusterView(spec, [
    says(3, { leader: 0n, raftAppliedIndex: 2n }, old),
    says(1, { leader: 0n, raftAppliedIndex: 9n }),
  ])
  expect(leaderless.voters).toBe(3)
})

const leaders = (...ids: number[]) => ids.map(leader => ({ leader: BigInt(leader) }) as MemberStatus)
test.each([
  ['two agree', leaders(1, 1, 2), 3, 1n],
  ['each names another', leaders(1, 2), 3, undefined],
  ['one alone of three', leaders(1), 3, undefined],
  ['the only voter', leaders(1), 1, 1n],
  ['nobody knows', leaders(0, 0), 3, undefined],
])('leader: %s', (_, statuses, voters, expected) => {
  expect(agreedLeader(statuses, voters)).toBe(expected)
})

const hashed = (name: string, hash: number) => ({ name, hash, compactRevision: 3n })
test.each([
  [[hashed('m1', 7), hashed('m2', 7)], undefined],
  [[hashed('m1', 7), hashed('m2', 8), hashed('m3', 7)], 'm2 differs from m1, m3'],
  [[hashed('m1', 7), hashed('m2', 8)], 'm1, m2 all differ'],
])('same data: %#', (all, expected) => {
  expect(whoDiffers(all)).toBe(expected)
})

test.each([
  [[], { most: [], odd: [] }],
  [[hashed('m1', 7), hashed('m2', 7)], { most: ['m1', 'm2'], odd: [] }],
  [[hashed('m1', 8), hashed('m2', 7), hashed('m3', 7)], { most: ['m2', 'm3'], odd: ['m1'] }],
  [[hashed('m1', 7), hashed('m2', 8)], { most: [], odd: ['m1', 'm2'] }],
  [[hashed('m1', 7), { ...hashed('m2', 7), compactRevision: 4n }], { most: [], odd: ['m1', 'm2'] }],
])('whose data are those of more than half: %#', (all, expected) => expect(compared(all)).toEqual(expected))
