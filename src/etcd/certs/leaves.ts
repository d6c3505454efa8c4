import { UserError } from '../../errors.ts'
import type { Step, StepGroup } from '../../steps/step.ts'
import { renewBackups } from '../backup/schedule-steps.ts'
import { clientFiles, renewClient } from '../certificates.ts'
import { requireClocks } from '../clocks.ts'
import type { MemberSpec } from '../cluster.ts'
import type { MemberFiles } from '../drivers/driver.ts'
import type { EtcdWorld } from '../world.ts'
import { renewMember } from './deliver.ts'
import { fingerprintOf, requireOwnAuthority } from './guard.ts'
import { type CertificatesView, clocksIn, consumersOf, leafRoles, lookAtCertificates } from './look.ts'
import { type LeafRotation, readRotation, rotationFile, writeRotation } from './rotation.ts'

/**
 * New certificates for members and consumers by the same authority, without a restart: works also where all have expired and
 * nobody talks to anybody any more.
 */
export const leafGroups = (world: EtcdWorld): StepGroup<EtcdWorld>[] => [
  { steps: [beginStep, ...world.state.spec.members.map(memberStep), clientsStep] },
]

const beginStep: Step<EtcdWorld> = {
  title: 'Authority',
  async guard(world) {
    await lookBefore(world)
  },
  async run(world) {
    const view = await lookBefore(world)
    if (view.rotation) return { changed: false, detail: 'goes on where an earlier run was cut off' }
    await writeRotation(world.store, { kind: 'leaves', replace: leavesOf(view) })
    return { changed: false, detail: 'signed what the members run with' }
  },
}

/** Throws UserError where new leaves would be the wrong thing. */
async function lookBefore(world: EtcdWorld): Promise<CertificatesView> {
  const view = await lookAtCertificates(world)
  if (view.rotation?.kind === 'authority') {
    throw new UserError('a change of the authority is under way', {
      hint: 'it makes new certificates as well: kubectl karmada-net etcd certs rotate --ca goes on with it',
    })
  }
  requireOwnAuthority(view, world.store.where)
  requireClocks(clocksIn(view))
  return view
}

/** Fingerprints of all that is to be replaced: what is there when it begins. Pure. */
export const leavesOf = ({ members, clients }: CertificatesView): string[] =>
  [
    ...members.flatMap(({ found }) => leafRoles.map(role => fingerprintOf(found.delivered?.[`${role}.pem`] ?? ''))),
    ...clients.map(({ certificate }) => certificate?.fingerprint256),
  ].filter(fingerprint => fingerprint !== undefined)

const memberStep = (member: MemberSpec): Step<EtcdWorld> => ({
  title: `${member.name}: new certificates`,
  async run(world, progress) {
    const { replace } = await underWay(world)
    const old = (files: MemberFiles) => leafRoles.some(role => isIn(replace, files[`${role}.pem`]))
    const { changed, running } = await renewMember(world, member, { force: old, progress })
    const { client, peer } = world.state.spec.ports
    return {
      changed,
      detail: running ? `served on ${client} and ${peer}, no restart` : 'it does not run: in place for when it does',
    }
  },
})

const clientsStep: Step<EtcdWorld> = {
  title: 'Client certificates',
  async run(world) {
    const { store, state } = world
    const { replace } = await underWay(world)
    const renewed: string[] = []
    for (const consumer of consumersOf(world)) {
      const text = await store.read(clientFiles(consumer).certificate)
      if (text !== undefined && fingerprintOf(text) !== undefined && !isIn(replace, text)) continue
      await renewClient(store, consumer, state.spec.keyType)
      renewed.push(consumer)
    }
    await store.write({ [rotationFile]: undefined })
    await renewBackups(world)
    return { changed: renewed.length > 0, detail: renewed.join(', ') }
  },
}

const isIn = (fingerprints: string[], text: string): boolean => fingerprints.includes(fingerprintOf(text) ?? '')

async function underWay({ store }: EtcdWorld): Promise<LeafRotation> {
  const rotation = await readRotation(store)
  return rotation?.kind === 'leaves' ? rotation : { kind: 'leaves', replace: [] }
}
