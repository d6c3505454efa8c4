import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { UserError } from '../../errors.ts'
import type { Restoring } from '../../etcd/restore/steps.ts'
import { etcdMemberNames } from './member/shared.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd } from './shared.ts'

export const etcdRecover = defineCommand({
  name: 'etcd recover',
  summary: 'Make a cluster again from one member that is left',
  description: `For a cluster that has lost its quorum for good: the data of more than half of its members are gone. If they only do not run, start
them instead; if there is a snapshot that is good enough, restore that.

What the member has is saved to a file first, by a snapshot over the network, which it gives without a quorum. One that was restarted
since answers nobody any more: it is then started once with --force-new-cluster, which plays its log and makes it a cluster of one.
From the file all machines that answer are restored as a new cluster, with revisions raised by a billion: members of the old one
cannot come back, and API servers notice. Writes that this member had not heard of, or not known to be agreed on, are lost.

Members that run from files get the files for it, one after the other, and the command says what to do with them and waits; --without
leaves one out whose machine is gone.

Make sure that the members that do not answer do not run somewhere else: together they may still be the cluster.`,
  examples: [
    ['What would be done', 'etcd recover --from m1 --dry-run'],
    ['From m1, the only one left', 'etcd recover --from m1'],
  ],
  flags: {
    ...etcdFlags,
    ...etcdMutatingFlags,
    from: flag.string('The member whose data are taken', { complete: etcdMemberNames }),
    out: flag.string('File for its data; default: NAME-recovered.db', { files: true }),
    without: flag.list('A member whose machine is gone; replaced later; repeatable', { complete: etcdMemberNames }),
    force: flag.boolean('Also where others seem to have more, or only to be stopped'),
  },
  async run({ flags, session }) {
    if (flags.from === undefined) {
      throw new UserError('say whose data to take: --from MEMBER', {
        hint: 'kubectl karmada-net etcd status shows who answers',
      })
    }
    const { planRecovery, recoveryLines, survivorSteps } = await import('../../etcd/recover.ts')
    const { withLock } = await import('../../etcd/lock.ts')
    const { confirmByName } = await import('../../cli/confirm.ts')
    const { perform } = await import('../../cli/perform.ts')
    const { restore } = await import('./snapshot/restore.ts')
    const world = await openEtcd(flags, session)
    const { name } = world.state.spec
    const file = flags.out ?? `${name}-recovered.db`
    const recovery = await planRecovery(world, flags.from, flags)
    const lines = recoveryLines(recovery, file)
    if (flags.dryRun !== 'none') {
      for (const [index, line] of lines.entries()) session.out(`${index + 1}. ${line}`)
      session.say('Nothing was changed (dry run).')
      return
    }
    for (const [index, line] of lines.entries()) session.say(`${index + 1}. ${line}`)
    await confirmByName(session, name, `\netcd ${name} begins anew with what ${flags.from} has`, { yes: flags.yes })
    await withLock(world, `recover --from ${flags.from}`, async () => {
      let job: Restoring | undefined
      const steps = survivorSteps(recovery, file, restoring => {
        job = restoring
      })
      await perform(session, [{ steps }], world)
      if (job) await restore(session, world, job)
    })
    const later = recovery.left.map(({ spec }) => `kubectl karmada-net etcd member replace ${spec.name}`)
    if (later.length > 0) session.hint(`once their machines are back: ${later.join('; ')}`)
    session.say(`What ${flags.from} had is in ${file}; keep it until all is well.`)
  },
})
