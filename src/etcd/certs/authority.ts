import { X509Certificate } from 'node:crypto'
import { UserError } from '../../errors.ts'
import { createAuthority, type KeyPair } from '../../pki/certificate.ts'
import type { Step, StepGroup } from '../../steps/step.ts'
import { renewBackups } from '../backup/schedule-steps.ts'
import { authorityDays, authorityFiles, authorityOf, ensureClient, whyDeliver } from '../certificates.ts'
import { requireClocks } from '../clocks.ts'
import type { MemberSpec } from '../cluster.ts'
import { refuseCorrupt } from '../corruption.ts'
import { lookAt } from '../view.ts'
import { waitForHealthy } from '../waits.ts'
import type { EtcdWorld } from '../world.ts'
import { renewMember } from './deliver.ts'
import { wasExported } from './export.ts'
import { fingerprintOf, requireOwnAuthority, requireUsable, requireWorkingLeaves } from './guard.ts'
import { commonName, signed } from './judge.ts'
import {
  type CertificatesView,
  clocksIn,
  consumersOf,
  leafRoles,
  lookAtCertificates,
  othersOf,
  parsed,
} from './look.ts'
import { letsIn, requireAccepted, requireRefused } from './probes.ts'
import { logMark, turnedAwaySince } from './refusals.ts'
import { restartAll } from './restart.ts'
import {
  type AuthorityRotation,
  isPast,
  nextFiles,
  type Phase,
  readRotation,
  rotationFile,
  rotationText,
  writeRotation,
} from './rotation.ts'

/** Up to where consumers have to be given the new files. */
export const trustGroups = (given?: KeyPair): StepGroup<EtcdWorld>[] => [
  { steps: [checkStep(given), newAuthorityStep(given), trustStep, clientsStep] },
]

/** From where consumers hold the new files to the end. */
export const retireGroups = (world: EtcdWorld): StepGroup<EtcdWorld>[] => [
  { steps: [...world.state.spec.members.map(leafStep), nothingOldStep, retireStep, endStep] },
]

const checkStep = (given: KeyPair | undefined): Step<EtcdWorld> => ({
  title: 'What is there',
  async guard(world) {
    await requireReady(world, given)
  },
  async run(world) {
    if ((await requireReady(world, given)).rotation) return { changed: false, detail: 'begun already' }
    const { length } = world.state.spec.members
    return { changed: false, detail: `${length} members healthy, all signed by the store's authority` }
  },
})

/** Throws UserError for whatever a change of the authority must not begin with. */
async function requireReady(world: EtcdWorld, given: KeyPair | undefined): Promise<CertificatesView> {
  const now = new Date(world.now())
  const view = await lookAtCertificates(world)
  if (given) requireUsable(given, now)
  requireFree(view, given)
  requireOwnAuthority(view, world.store.where)
  requireClocks(clocksIn(view))
  // A member that an earlier run was cut off at is brought back by the restarts.
  if (view.rotation) return view
  if (given) await requireOther(world, given)
  requireWorkingLeaves(view, now)
  await requireHealthy(world)
  return view
}

async function requireOther({ store }: EtcdWorld, given: KeyPair): Promise<void> {
  if (fingerprintOf(given.certificate) !== fingerprintOf((await authorityOf(store)).certificate)) return
  throw new UserError('this is the authority that the cluster has already')
}

/** One change at a time, and towards one authority. */
function requireFree({ rotation, signers }: CertificatesView, given: KeyPair | undefined): void {
  if (rotation?.kind === 'leaves') {
    throw new UserError('new certificates by the present authority are being made', {
      hint: 'kubectl karmada-net etcd certs rotate ends that first',
    })
  }
  const next = signers.find(({ name }) => name === 'new authority')
  if (given && next && fingerprintOf(given.certificate) !== fingerprintOf(next.certificate)) {
    throw new UserError('a change to another authority is under way', {
      hint: 'kubectl karmada-net etcd certs rotate --ca without --ca-cert ends it first',
    })
  }
}

async function requireHealthy(world: EtcdWorld): Promise<void> {
  const view = await lookAt(world)
  refuseCorrupt(view)
  const { members } = view
  const ill = members.filter(({ status, readiness }) => !status || !readiness?.ready)
  if (ill.length === 0) return
  throw new UserError(`${ill.map(({ spec }) => spec.name).join(', ')} not healthy: every member is to be restarted`, {
    hint: 'kubectl karmada-net etcd status',
  })
}

const newAuthorityStep = (given: KeyPair | undefined): Step<EtcdWorld> => ({
  title: 'New authority',
  async run({ store, state, now }) {
    if (await readRotation(store)) return { changed: false }
    const name = `karmada-net etcd ${state.spec.name} ${new Date(now()).toISOString().slice(0, 10)}`
    const next = given ?? createAuthority(name, { days: authorityDays }, state.spec.keyType)
    await store.write({
      [nextFiles.certificate]: next.certificate,
      [nextFiles.key]: next.key,
      [rotationFile]: rotationText({ kind: 'authority', phase: 'trust', restarted: [] }),
    })
    return { changed: true, detail: commonName(new X509Certificate(next.certificate).subject) }
  },
})

const trustStep: Step<EtcdWorld> = {
  title: 'Members trust both, restarted one by one',
  async run(world, progress) {
    if (isPast(await underWay(world), 'trust')) return { changed: false }
    for (const member of world.state.spec.members) {
      progress(`${member.name}: both authorities`)
      await renewMember(world, member, { force: () => false, progress, patient: false })
    }
    const next = await nextAuthority(world)
    await restartAll(world, { progress, restarted: async member => (await letsIn(world, member, next)) === true })
    await requireAccepted(world, next, progress)
    await enter(world, 'hand-over')
    return { changed: true, detail: 'clients of either are let in' }
  },
}

const clientsStep: Step<EtcdWorld> = {
  title: 'Clients of the new authority',
  async run(world) {
    const issued: string[] = []
    for (const consumer of consumersOf(world)) {
      if ((await ensureClient(world.store, consumer, world.state.spec.keyType)).issued) issued.push(consumer)
    }
    // Kept connections still stand on the old certificate.
    for (const member of world.state.spec.members) world.clientOf(member).close()
    await renewBackups(world)
    return { changed: issued.length > 0, detail: issued.join(', ') || undefined }
  },
}

const leafStep = (member: MemberSpec): Step<EtcdWorld> => ({
  title: `${member.name}: certificates of the new authority`,
  async run(world, progress) {
    const rotation = await underWay(world)
    if (isPast(rotation, 'leaves')) return { changed: false }
    if (rotation.phase !== 'leaves') await enter(world, 'leaves')
    const mark = await logMark(world, member)
    const { changed } = await renewMember(world, member, { force: () => false, progress })
    await waitForHealthy(world, progress)
    if (member.name === world.state.spec.members[0]?.name) await requireTrusted(world, member, mark)
    return { changed, detail: 'no restart' }
  },
})

/** Who does not trust the new authority tells by turning away the first member that shows it, while the others still show the old. */
async function requireTrusted(world: EtcdWorld, member: MemberSpec, mark: string): Promise<void> {
  const away = await turnedAwaySince(world, member, mark)
  if (away.length === 0) return
  throw new UserError(
    `${member.name}, the first that shows a certificate of the new authority, is not trusted by clients at ${away.join(', ')}`,
    { hint: 'give these consumers their new files and restart them, then run the same command again' },
  )
}

const nothingOldStep: Step<EtcdWorld> = {
  title: 'Nothing of the old authority is shown',
  async run(world) {
    if (isPast(await underWay(world), 'leaves')) return { changed: false }
    const next = await nextAuthority(world)
    const old = stillOld(await lookAtCertificates(world), next.certificate)
    if (old.length > 0) throw new UserError(`not of the new authority: ${old.join(', ')}`)
    await enter(world, 'retire')
    return { changed: true, detail: 'on every port, and in what consumers were issued' }
  },
}

/** Ports and clients whose certificate is not of this authority. Pure. */
export const stillOld = ({ members, clients }: CertificatesView, next: string): string[] => [
  ...members.flatMap(({ member, served }) =>
    leafRoles.flatMap(role => {
      const leaf = served[role]
      return leaf instanceof X509Certificate && signed(leaf, next) ? [] : [`${member.name} ${role}`]
    }),
  ),
  ...clients.flatMap(({ consumer, certificate }) =>
    certificate && signed(certificate, next) ? [] : [`client ${consumer}`],
  ),
]

const retireStep: Step<EtcdWorld> = {
  title: 'Members trust the new one alone, restarted one by one',
  async run(world, progress) {
    const authority = await authorityOf(world.store)
    const old = await pairOf(world, authorityFiles)
    await restartAll(world, {
      progress,
      restarted: async member => (await letsIn(world, member, old)) === false,
      before: async member => {
        const { delivered } = await world.driverOf(member).inspect()
        const need = { authority, member, now: new Date(world.now()) }
        if (whyDeliver(delivered, need) !== undefined) {
          await renewMember(world, member, { force: () => false, progress, patient: false })
        }
      },
      watchRefusals: true,
    })
    return { changed: true }
  },
}

const endStep: Step<EtcdWorld> = {
  title: 'The old authority is refused',
  async run(world, progress) {
    const { store } = world
    const old = await pairOf(world, authorityFiles)
    await requireRefused(world, old, progress)
    const next = await nextAuthority(world)
    await store.write({
      [authorityFiles.certificate]: next.certificate,
      [authorityFiles.key]: next.key,
      [nextFiles.certificate]: undefined,
      [nextFiles.key]: undefined,
      [rotationFile]: undefined,
    })
    await renewBackups(world)
    return { changed: true, detail: commonName(parsed(old.certificate)?.subject ?? '') }
  },
}

async function underWay({ store }: EtcdWorld): Promise<AuthorityRotation> {
  const rotation = await readRotation(store)
  if (rotation?.kind === 'authority') return rotation
  throw new UserError('no change of the authority is under way', {
    hint: 'kubectl karmada-net etcd certs rotate --ca begins one',
  })
}

/** What was noted of the phase before is of no use in this one. */
async function enter(world: EtcdWorld, phase: Phase): Promise<void> {
  await writeRotation(world.store, { kind: 'authority', phase, restarted: [] })
}

const nextAuthority = (world: EtcdWorld): Promise<KeyPair> => pairOf(world, nextFiles)

async function pairOf({ store }: EtcdWorld, files: { certificate: string; key: string }): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([store.read(files.certificate), store.read(files.key)])
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  throw new UserError(`${files.certificate} or its key is missing in ${store.where}`)
}

/** Consumers beside this plugin, and whether their files were exported since they were issued. */
export async function consumersToTell(world: EtcdWorld): Promise<{ consumer: string; exported: boolean }[]> {
  return Promise.all(
    othersOf(world).map(async consumer => ({ consumer, exported: await wasExported(world, consumer) })),
  )
}
