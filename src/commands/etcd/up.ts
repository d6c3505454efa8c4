import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { outputFlag } from '../../cli/flags.ts'
import { program } from '../../cli/io.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { ClusterSpec, ClusterState, MemberSpec } from '../../etcd/cluster.ts'
import type { EtcdWorld } from '../../etcd/world.ts'
import { authorityFlags, givenAuthority } from './given-authority.ts'
import { type EtcdFlags, etcdFlags, etcdMutatingFlags, openEtcd, storeFor, surroundings } from './shared.ts'

const upFlags = {
  ...etcdFlags,
  ...etcdMutatingFlags,
  filename: flag.string('Inventory (kind: EtcdCluster); - reads standard input', { short: 'f', files: true }),
  member: flag.list(
    'NAME=ADDRESS,docker[=HOST] | context=CTX[,node=NODE] | files=DIR [,site=SITE]: one member; repeatable',
  ),
  version: flag.string('Version of etcd; default: the newest that was tested'),
  image: flag.string('Image of etcd, without tag, with one, or with a digest'),
  imageRegistry: flag.string('Kubernetes clusters take all images from this registry: mirror.example.com/k8s'),
  ...authorityFlags,
  force: flag.boolean('Also where the layout survives less than it seems to'),
  output: outputFlag(['yaml', 'json', 'name']),
}

type UpFlags = EtcdFlags & {
  filename?: string | undefined
  member: string[]
  version?: string | undefined
  image?: string | undefined
  imageRegistry?: string | undefined
  force: boolean
  timeout: number
}

export const etcdUp = defineCommand({
  name: 'etcd up',
  summary: 'Make an etcd cluster, or put it back in order',
  description: `Starts one member on each machine that the inventory names, with certificates of its own, waits for a quorum, issues a
client certificate for each consumer, and writes and reads through every member. A member runs in Kubernetes (context=...), in
a Docker engine (docker, docker=ssh://root@10.0.0.1), or from files that you carry to its machine (files=DIR).

Run again, it changes only what is not as it should be; settings that need a restart reach one member after the other. Members
are added and removed by "etcd member", versions changed by "etcd upgrade".`,
  examples: [
    [
      'Three machines with Docker, reached over ssh',
      'etcd up --member m1=10.0.0.1,docker=ssh://root@10.0.0.1 --member m2=10.0.1.1,docker=ssh://root@10.0.1.1 --member m3=10.0.2.1,docker=ssh://root@10.0.2.1',
    ],
    ['Three clusters, each a site', 'etcd up -f cluster.yaml'],
    ['What would run where', 'etcd up -f cluster.yaml --dry-run -o yaml'],
    ['Put back in order what is there', 'etcd up'],
  ],
  args: { name: arg.one('NAME') },
  flags: upFlags,
  async run({ name, flags, session }) {
    const etcd = await import('../../etcd/index.ts')
    const { perform } = await import('../../cli/perform.ts')
    const { world, wanted } = await worldFor(name, flags, session)
    await refuseFragile(wanted.spec, flags.force)
    const authority = await givenAuthority(flags)
    const starting = etcd.startGroups({ wanted, authority })
    const { dryRun, output } = flags
    if (dryRun !== 'none') {
      world.state = wanted
      const backups = await backupGroup(flags, session, wanted.spec)
      await perform(session, [...starting, ...backups], world, { dryRun, output })
      return
    }
    const { spec } = wanted
    session.say(
      `etcd ${spec.version}, cluster ${spec.name}; members ${spec.members.map(each => each.name).join(', ')}\n`,
    )
    const began = session.io.now()
    const { withLock } = await import('../../etcd/lock.ts')
    const changed = await withLock(world, 'up', async () => {
      const started = await perform(session, starting, world, { concurrency: spec.members.length })
      const byHand = await awaited(world)
      if (byHand.length > 0) return sayByHand(session, byHand)
      const backups = await backupGroup(flags, session, spec)
      const verified = await perform(session, [...etcd.verifyGroups(), ...backups], world)
      return started.changed || verified.changed
    })
    if (changed === undefined) return
    conclude(session, world, changed, session.io.now() - began)
  },
})

async function backupGroup(flags: UpFlags, session: Session, spec: ClusterSpec) {
  const { backupSteps } = await import('../../etcd/backup/schedule-steps.ts')
  const { machineFor } = await import('./machine.ts')
  const steps = backupSteps(spec, await machineFor(flags, session))
  return steps.length === 0 ? [] : [{ steps }]
}

/** The cluster that the inventory describes, or the one that is known already; with the state to reach. */
async function worldFor(
  name: string | undefined,
  flags: UpFlags,
  session: Session,
): Promise<{ world: EtcdWorld; wanted: ClusterState }> {
  const etcd = await import('../../etcd/index.ts')
  const asked = await specOf(name, flags, session)
  if (!asked) {
    const world = await openEtcd({ ...flags, etcd: name ?? flags.etcd }, session)
    return { world, wanted: world.state }
  }
  const store = await storeFor(flags, session, asked)
  const known = await etcd.readState(store)
  const around = await surroundings(flags, session, asked)
  if (!known) {
    const wanted = etcd.newState(asked)
    return { world: etcd.createWorld(store, wanted, around), wanted }
  }
  const { contextsOf, reach, sameClusters } = await import('../../etcd/contexts.ts')
  const clusters = sameClusters(known, asked, await reach(contextsOf(asked), around))
  const wanted = { ...etcd.mergeSpec(known, asked), ...clusters }
  return { world: etcd.createWorld(store, known, around), wanted }
}

/** Undefined where nothing was asked for beyond a name. */
async function specOf(name: string | undefined, flags: UpFlags, session: Session): Promise<ClusterSpec | undefined> {
  const { filename, member, version, image, imageRegistry } = flags
  const inventory = await import('../../etcd/inventory/index.ts')
  if (filename !== undefined) {
    if (member.length > 0) throw new UserError('members are in the inventory: give either -f or --member')
    const spec = await inventory.parseInventory(await textOf(filename, session), filename)
    return inventory.specFrom({
      ...spec,
      name: name ?? spec.name,
      version: version ?? spec.version,
      image: image ?? spec.image,
      imageRegistry: imageRegistry ?? spec.imageRegistry,
    })
  }
  if (member.length === 0) return undefined
  const members: MemberSpec[] = member.map(inventory.memberFromFlag)
  return inventory.specFrom({
    name: name ?? flags.etcd ?? 'karmada',
    members,
    ...(version !== undefined && { version }),
    ...(image !== undefined && { image }),
    ...(imageRegistry !== undefined && { imageRegistry }),
  })
}

/** Of a file, or of standard input where it is `-`. Throws UserError. */
export async function textOf(filename: string, { io }: Session): Promise<string> {
  if (filename === '-') {
    const { text } = await import('node:stream/consumers')
    return text(io.stdin)
  }
  const { readFile } = await import('node:fs/promises')
  try {
    return await readFile(filename, 'utf8')
  } catch (error) {
    throw new UserError(`${filename} cannot be read`, { cause: error })
  }
}

async function refuseFragile(spec: ClusterSpec, force: boolean): Promise<void> {
  const { objections } = await import('../../etcd/inventory/index.ts')
  const [first, ...rest] = objections(spec)
  if (first === undefined || force) return
  throw new UserError([first, ...rest].join('\n'), { hint: 'choose other members, or accept it with --force' })
}

/** Members that somebody has to start by hand, and that do not answer yet; but for one that is just being restarted. */
async function awaited(world: EtcdWorld): Promise<string[]> {
  const { spec, settling } = world.state
  const members = spec.members.filter(member => !world.driverOf(member).acts && member.name !== settling?.member)
  const asked = members.map(async member => {
    const answers = await world
      .clientOf(member)
      .status({ timeoutMs: 2000 })
      .then(
        () => true,
        () => false,
      )
    return answers ? [] : [`${member.name}: ${world.driverOf(member).where}`]
  })
  return (await Promise.all(asked)).flat()
}

function sayByHand(session: Session, members: string[]): undefined {
  session.say('\nWritten. Start them on their machines as each README says, all of them:')
  for (const member of members) session.say(`  ${member}`)
  session.say(`Then: ${program} etcd up   waits for the quorum and verifies it.`)
}

function conclude(session: Session, { state, store }: EtcdWorld, changed: boolean, elapsedMs: number): void {
  const { spec } = state
  session.say()
  if (!changed) {
    session.say(`Nothing to do: ${spec.name} is as it should be.`)
    return
  }
  session.say(`etcd ${spec.name} is up and verified (${Math.round(elapsedMs / 1000)}s); kept in ${store.where}.`)
  session.say(
    `Try:  ${program} etcd status\n      ${program} etcd certs export ${spec.consumers[0] ?? 'admin'} --out .   for karmadactl init --external-etcd-...`,
  )
}
