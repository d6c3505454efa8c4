import { defineCommand } from '../../../cli/command.ts'
import { flag } from '../../../cli/flag.ts'
import { program } from '../../../cli/io.ts'
import type { Session } from '../../../cli/session.ts'
import { UserError } from '../../../errors.ts'
import type { EtcdWorld } from '../../../etcd/world.ts'
import { authorityFlags, givenAuthority } from '../given-authority.ts'
import { etcdFlags, etcdMutatingFlags, openEtcd } from '../shared.ts'

export const etcdCertsRotate = defineCommand({
  name: 'etcd certs rotate',
  summary: 'Renew all certificates while etcd serves; with --ca change the authority, too',
  description: `Gives both ports of every member new certificates, without a restart, and sees that they are served; then issues new ones to
the consumers. Works also when all have expired.

With --ca the authority changes in two parts. First every member learns to trust the old and the new one, restarted one by one, and
consumers are issued certificates of the new one. There it stops: each consumer must be given its new files and be restarted, which may
take days. With --finish members then show certificates of the new authority and, restarted one by one, trust nothing else.`,
  examples: [
    ['New certificates by the same authority', 'etcd certs rotate'],
    ['Begin to change the authority, or go on', 'etcd certs rotate --ca'],
    ['Every consumer has its new files', 'etcd certs rotate --ca --finish'],
    ['To an authority of your own', 'etcd certs rotate --ca --ca-cert ca.crt --ca-key ca.key'],
  ],
  flags: {
    ...etcdFlags,
    ...etcdMutatingFlags,
    yes: flag.boolean('With --ca: do not stop for consumers; who has no new files by then is cut off', { short: 'y' }),
    ca: flag.boolean('Change the certificate authority'),
    finish: flag.boolean('With --ca: all consumers have their new files, drop the old authority'),
    ...authorityFlags,
  },
  async run({ flags, session }) {
    const given = await givenAuthority(flags)
    if (!flags.ca && (flags.finish || given)) throw new UserError('--finish, --ca-cert and --ca-key are for --ca')
    const { withLock } = await import('../../../etcd/lock.ts')
    const certs = await import('../../../etcd/certs/index.ts')
    const world = await openEtcd(flags, session)
    if (flags.dryRun !== 'none') {
      if (flags.finish) await requireBegun(world)
      const groups = flags.ca ? [...certs.trustGroups(given), ...certs.retireGroups(world)] : certs.leafGroups(world)
      const { sayPlan } = await import('../plan.ts')
      return sayPlan(session, groups, world)
    }
    if (flags.ca)
      return withLock(world, 'certs rotate --ca', () => changeAuthority(world, session, { ...flags, given }))
    await withLock(world, 'certs rotate', () => renew(world, session))
  },
})

async function renew(world: EtcdWorld, session: Session): Promise<void> {
  const { leafGroups, othersOf } = await import('../../../etcd/certs/index.ts')
  const { perform } = await import('../../../cli/perform.ts')
  const began = session.io.now()
  await perform(session, leafGroups(world), world)
  const others = othersOf(world)
  session.say(
    `\nRenewed (${secondsSince(session, began)}s). What consumers hold stays good until its own end; give them the new files before that:`,
  )
  sayExports(session, others)
}

async function requireBegun({ store }: EtcdWorld): Promise<void> {
  const { readRotation } = await import('../../../etcd/certs/index.ts')
  if (await readRotation(store)) return
  throw new UserError('no change of the authority is under way', {
    hint: `${program} etcd certs rotate --ca begins one`,
  })
}

async function changeAuthority(
  world: EtcdWorld,
  session: Session,
  { given, finish, yes }: { given: Awaited<ReturnType<typeof givenAuthority>>; finish: boolean; yes: boolean },
): Promise<void> {
  const certs = await import('../../../etcd/certs/index.ts')
  const { perform } = await import('../../../cli/perform.ts')
  const before = await certs.readRotation(world.store)
  if (finish) await requireBegun(world)
  const began = session.io.now()
  const { changed } = await perform(session, certs.trustGroups(given), world)
  const consumers = await certs.consumersToTell(world)
  // What was issued in this very run nobody can hold yet.
  const confirmed = finish && !changed
  const goesOn = before?.kind === 'authority' && certs.isPast(before, 'hand-over')
  if (consumers.length > 0 && !confirmed && !goesOn && !yes) return sayStop(session, consumers)
  if (yes && consumers.length > 0) {
    session.warn(
      `not waiting for ${consumers.map(({ consumer }) => consumer).join(', ')}: without their new files they are cut off`,
    )
  }
  await perform(session, certs.retireGroups(world), world)
  session.say(
    `\nThe authority has changed (${secondsSince(session, began)}s). The old one is trusted by no member any more.`,
  )
  if (consumers.length === 0) return
  session.say("Consumers' ca.crt still has both; when it suits you give them the new one alone:")
  sayExports(
    session,
    consumers.map(({ consumer }) => consumer),
  )
}

function sayStop(session: Session, consumers: { consumer: string; exported: boolean }[]): void {
  session.say(`
Members let in clients of both authorities, and still show certificates of the old one. Everything works as before, for as long as
you need: now give each consumer its new files (both authorities, a certificate of the new one), and restart it, as it reads
ca.crt only then.`)
  for (const { consumer, exported } of consumers) {
    session.say(`  ${program} etcd certs export ${consumer} --out DIR${exported ? '   (was exported)' : ''}`)
  }
  session.say(`Then:  ${program} etcd certs rotate --ca --finish`)
}

function sayExports(session: Session, consumers: string[]): void {
  for (const consumer of consumers) session.say(`  ${program} etcd certs export ${consumer} --out DIR`)
}

const secondsSince = (session: Session, began: number): number => Math.round((session.io.now() - began) / 1000)
