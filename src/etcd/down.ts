import type { Step, StepGroup } from '../steps/step.ts'
import type { MemberSpec } from './cluster.ts'
import { withLock } from './lock.ts'
import { chooseSources } from './snapshot/choose.ts'
import { lookAt } from './view.ts'
import type { EtcdWorld } from './world.ts'

export interface DownOptions {
  /** Leaves the members' data where they are. */
  keepData: boolean
  /** Takes the last snapshot; answers where it is. Undefined: none is wanted. */
  save?: ((world: EtcdWorld, progress: (text: string) => void) => Promise<string>) | undefined
  /** Ends backups that a machine takes; drivers end those beside members. Undefined: there are none. */
  backups?: Step<EtcdWorld> | undefined
}

/** Takes a cluster away: a snapshot first, then the members, at last what is remembered of it. */
export function downGroups(
  members: readonly MemberSpec[],
  { keepData, save, backups }: DownOptions,
): StepGroup<EtcdWorld>[] {
  return [
    { steps: [save ? snapshotStep(save) : aloneStep, ...(backups ? [backups] : [])] },
    ...members.map(member => ({ title: member.name, steps: [removeStep(member, keepData)] })),
    { steps: [forgetStep] },
  ]
}

/** The lock lives in what is removed next: that nobody holds it is all that can be asked. */
const aloneStep: Step<EtcdWorld> = {
  title: 'Nobody else works on it',
  run: world => withLock(world, 'down', async () => ({ changed: false }), { midRestore: true }),
}

const snapshotStep = (save: NonNullable<DownOptions['save']>): Step<EtcdWorld> => ({
  title: 'Snapshot',
  async guard(world) {
    chooseSources(await lookAt(world))
  },
  run: async (world, progress) => ({
    changed: true,
    detail: await withLock(world, 'down', () => save(world, progress), { midRestore: true }),
  }),
})

const removeStep = (member: MemberSpec, keepData: boolean): Step<EtcdWorld> => ({
  title: keepData ? 'Removed, its data left in place' : 'Removed, with its data',
  async run(world) {
    const changed = await world.driverOf(member).remove({ keepData })
    return { changed, detail: changed ? undefined : 'nothing of it was there' }
  },
})

const forgetStep: Step<EtcdWorld> = {
  title: 'State and certificates',
  async run({ store }) {
    await store.remove()
    return { changed: true, detail: `removed from ${store.where}` }
  },
}
