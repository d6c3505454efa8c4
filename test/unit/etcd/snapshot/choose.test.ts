import { expect, test } from 'vitest'
import type { MemberStatus } from '../../../../src/etcd/client/types.ts'
import type { MemberSpec } from '../../../../src/etcd/cluster.ts'
import { chooseSources } from '../../../../src/etcd/snapshot/choose.ts'
import type { ClusterView, MemberView } from '../../../../src/etcd/view.ts'

const spec = (name: string): MemberSpec => ({ name, address: name, site: name, driver: { kind: 'docker' } })

interface Given {
  applied?: bigint
  latencyMs?: number
  learner?: boolean
  errors?: string[]
  down?: true
}

function member(id: bigint, { applied = 5000n, latencyMs = 1, learner = false, errors = [], down }: Given): MemberView {
  const view: MemberView = { spec: spec(`m${id}`), latencyMs }
  if (down) return { ...view, error: new Error('connection refused') }
  const status = { id, leader: 1n, isLearner: learner, raftAppliedIndex: applied, errors } as unknown as MemberStatus
  return { ...view, status }
}

/** m1 leads. */
function view(given: Given[], hasQuorum = true): ClusterView {
  const members = given.map((each, index) => member(BigInt(index + 1), each))
  const leader = hasQuorum ? members[0] : undefined
  return { members, strangers: [], leader, voters: given.length, healthyVoters: given.length, hasQuorum }
}
const names = (from: ClusterView, wanted?: string) => chooseSources(from, wanted).members.map(({ name }) => name)

test.each<[string, ClusterView, string[]]>([
  [
    'followers first, the quickest of them, the leader last',
    view([{}, { latencyMs: 9 }, { latencyMs: 2 }]),
    ['m3', 'm2', 'm1'],
  ],
  [
    'a follower that is behind is left out',
    view([{ applied: 9000n }, { applied: 7999n }, { applied: 8000n }]),
    ['m3', 'm1'],
  ],
  ['a learner is left out', view([{}, { learner: true }]), ['m1']],
  ['a member alone', view([{}]), ['m1']],
  [
    'corrupt data are no snapshot',
    view([{}, { errors: ['memberID:2 alarm:CORRUPT '] }, { errors: ['memberID:2 alarm:CORRUPT '] }]),
    ['m3', 'm1'],
  ],
  [
    'without a quorum, who has applied most',
    view([{ applied: 1n }, { applied: 3n }, { down: true }], false),
    ['m2', 'm1'],
  ],
])('%s', (_, from, expected) => {
  expect(names(from)).toEqual(expected)
})

test('without a quorum the user is told so', () => {
  expect(chooseSources(view([{}, { down: true }, { down: true }], false)).warning).toContain('of m1 alone')
  expect(chooseSources(view([{}, {}])).warning).toBeUndefined()
})

test('the one that the user wants, or why not', () => {
  expect(names(view([{}, {}]), 'm1')).toEqual(['m1'])
  expect(() => names(view([{}, { down: true }]), 'm2')).toThrow('m2 does not answer: connection refused')
  expect(() => names(view([{}]), 'm9')).toThrow('there is no member "m9"')
  expect(() => names(view([{ down: true }, { down: true }], false))).toThrow(
    'no member can give a snapshot:\nm1: connection refused\nm2: connection refused',
  )
})
