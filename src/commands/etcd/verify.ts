import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { outputFlag } from '../../cli/flags.ts'
import { etcdMemberNames } from './member/shared.ts'
import { etcdFlags, openEtcd } from './shared.ts'

export const etcdVerify = defineCommand({
  name: 'etcd verify',
  summary: 'Prove by real requests that an etcd cluster works, and lets nobody else in',
  description: `Of the cluster: a quorum, the same data everywhere, no alarms, one version, no member too many. Of each member: its
certificates, that its ports refuse a client without a certificate and one of another authority, a write and a linearizable read of
it, its clock, its disk. Leaves nothing behind: what it writes below karmada-net.io/verify/ it removes again.
Exit code 1 when a check failed; warnings pass.`,
  examples: [
    ['Everything', 'etcd verify'],
    ['One member', 'etcd verify m2'],
    ['For programs', 'etcd verify -o json'],
  ],
  args: { names: arg.many('MEMBER', { complete: etcdMemberNames }) },
  flags: { ...etcdFlags, output: outputFlag(['json', 'yaml']) },
  async run({ names, flags, session }) {
    const { openVerify, verifyGroups } = await import('../../etcd/checks/index.ts')
    const { showChecks } = await import('../../cli/checks.ts')
    const { requireMember } = await import('../../etcd/member/words.ts')
    const etcd = await openEtcd(flags, session)
    for (const name of names) requireMember(etcd.state, name)
    const world = await openVerify(etcd)
    const groups = verifyGroups(etcd.state.spec.name, world.view, names)
    await showChecks(session, groups, world, { output: flags.output })
  },
})
