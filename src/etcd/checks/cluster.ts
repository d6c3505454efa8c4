import type { Check, CheckGroup, CheckResult } from '../../checks/check.ts'
import { alarmRows } from '../alarms.ts'
import { hexId } from '../client/types.ts'
import { shortReason } from '../findings.ts'
import { alarmsIn, type ClusterView } from '../view.ts'
import { sameData } from '../waits.ts'
import { passed, program, timed, type VerifyWorld } from './world.ts'

/** What is true of the cluster as a whole, or not. */
export function clusterChecks(name: string): CheckGroup<VerifyWorld> {
  const look = (judge: (view: ClusterView) => CheckResult): Pick<Check<VerifyWorld>, 'run'> => ({
    run: async ({ view }) => judge(view),
  })
  return {
    title: name,
    checks: [
      { id: 'members', title: 'all members answer', severity: 'error', ...look(judgeMembers) },
      { id: 'quorum', title: 'a quorum, and one leader', severity: 'error', ...look(judgeQuorum) },
      { id: 'inventory', title: 'the member list is the inventory', severity: 'error', ...look(judgeInventory) },
      { id: 'learners', title: 'every member has a vote', severity: 'warning', ...look(judgeLearners) },
      { id: 'alarms', title: 'no alarms', severity: 'error', ...look(judgeAlarms) },
      { id: 'versions', title: 'one version', severity: 'warning', ...look(judgeVersions) },
      {
        id: 'same-data',
        title: 'the same data on all members',
        severity: 'error',
        needs: ['members', 'quorum'],
        async run({ etcd }) {
          const { value, ms } = await timed(() => sameData(etcd))
          return passed(`same hash at revision ${value}, ${ms}`)
        },
      },
    ],
  }
}

/** All of these are pure. */
export function judgeMembers({ members }: ClusterView): CheckResult {
  const silent = members.filter(({ status }) => !status)
  const detail = `${members.length - silent.length} of ${members.length}`
  if (silent.length === 0) return passed(detail)
  return {
    ok: false,
    detail,
    said: silent.map(({ spec, error }) => `${spec.name}: ${shortReason(error)}`).join('\n'),
    hint: `${program} etcd status`,
  }
}

export function judgeQuorum({ hasQuorum, voters, healthyVoters, leader }: ClusterView): CheckResult {
  const detail = `${healthyVoters} of ${voters} voters healthy`
  if (hasQuorum && leader) return passed(`${detail}, leader ${leader.spec.name}`)
  return { ok: false, detail: `${detail}: writes are refused`, hint: `${program} etcd status` }
}

export function judgeInventory({ members, strangers, voters }: ClusterView): CheckResult {
  if (voters === 0) return { ok: false, detail: 'nobody tells the member list' }
  const missing = members.filter(({ member }) => !member).map(({ spec }) => spec.name)
  const [stranger] = strangers
  if (stranger) {
    const name = stranger.name || hexId(stranger.id)
    const detail = `${name} (${stranger.peerUrls.join(', ')}) is in the list alone`
    return { ok: false, detail, hint: `${program} etcd member remove ${name}` }
  }
  if (missing.length === 0) return passed(`${members.length} members`)
  return {
    ok: false,
    detail: `not in the list: ${missing.join(', ')}`,
    hint: `${program} etcd member replace ${missing[0]}`,
  }
}

export function judgeLearners({ members }: ClusterView): CheckResult {
  const learners = members.filter(({ status }) => status?.isLearner).map(({ spec }) => spec.name)
  if (learners.length === 0) return passed()
  return { ok: false, detail: `learner: ${learners.join(', ')}`, hint: `${program} etcd member promote ${learners[0]}` }
}

export function judgeAlarms(view: ClusterView): CheckResult {
  const alarms = alarmRows(view, alarmsIn(view))
  if (alarms.length === 0) return passed()
  const corrupt = alarms.find(({ alarm }) => alarm === 'CORRUPT')
  return {
    ok: false,
    detail: alarms.map(({ member, alarm }) => `${member}: ${alarm}`).join(', '),
    // Who it is that differs the comparison below tells better than the alarm does.
    hint: `${program} etcd ${corrupt ? 'status' : 'alarms --disarm'}`,
  }
}

export function judgeVersions({ members }: ClusterView): CheckResult {
  const versions = Map.groupBy(
    members.filter(({ status }) => status),
    ({ status }) => status?.version ?? '',
  )
  if (versions.size < 2) return passed([...versions.keys()].join())
  const detail = [...versions].map(([version, with_]) => `${version}: ${with_.map(({ spec }) => spec.name).join(' ')}`)
  return { ok: false, detail: detail.join(', '), hint: `${program} etcd upgrade ends what was begun` }
}
