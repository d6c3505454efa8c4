import type { EtcdMember, MemberStatus } from '../../../../src/etcd/client/types.ts'
import type { MemberSpec } from '../../../../src/etcd/cluster.ts'
import type { Counted } from '../../../../src/etcd/member/rules.ts'
import type { MemberView } from '../../../../src/etcd/view.ts'

export const spec = (name: string, site = name): MemberSpec => ({
  name,
  address: `10.0.0.${name.replace(/\D/g, '') || 9}`,
  site,
  driver: { kind: 'docker' },
})

/** `m1* m2 m3! m4? (m5)`: the leader, a follower, one that is down, a learner, of the inventory alone; `+m9`: a stranger. */
export function viewOf(text: string): Counted {
  const words = text.split(' ').filter(Boolean)
  const named = words.map(word => ({ word, name: word.replace(/[^a-z0-9]/g, '') }))
  const leader = named.find(({ word }) => word.endsWith('*'))
  const leaderId = leader ? idOf(leader.name) : 0n
  const members = named
    .filter(({ word }) => !word.startsWith('+'))
    .map(({ word, name }): MemberView => {
      const isLearner = word.endsWith('?')
      return {
        spec: spec(name),
        member: word.startsWith('(') ? undefined : entry(name, isLearner),
        status: word.endsWith('!') || word.startsWith('(') ? undefined : status(name, leaderId, isLearner),
      }
    })
  return {
    members,
    strangers: named
      .filter(({ word }) => word.startsWith('+'))
      .map(({ word, name }) => entry(name, word.endsWith('?'))),
    leader: members.find(member => member.spec.name === leader?.name),
  }
}

const idOf = (name: string): bigint => BigInt(100 + Number(name.replace(/\D/g, '') || 9))

export const entry = (name: string, isLearner = false): EtcdMember => ({
  id: idOf(name),
  name,
  peerUrls: [`https://${spec(name).address}:2380`],
  clientUrls: [`https://${spec(name).address}:2379`],
  isLearner,
})

const status = (name: string, leader: bigint, isLearner: boolean): MemberStatus => ({
  id: idOf(name),
  version: '3.6.16',
  storageVersion: '3.6.0',
  leader,
  isLearner,
  dbSize: 0,
  dbSizeInUse: 0,
  dbSizeQuota: 0,
  raftIndex: 10n,
  raftTerm: 2n,
  raftAppliedIndex: 10n,
  revision: 5n,
  errors: [],
})
