import type { Recorded } from '../../anp/record.ts'
import type { Address, Delivery } from '../../anp/settings.ts'
import type { MemberJob } from '../../anp/world.ts'
import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { outputFlag, planeFlags } from '../../cli/flags.ts'
import { program } from '../../cli/io.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { Member, Plane } from '../../topology/types.ts'
import { memberNames, openPlane } from '../session.ts'
import { allFlag, anpMutatingFlags, apiServerOf, oldestKarmada } from './shared.ts'

export const anpUp = defineCommand({
  name: 'anp up',
  summary: 'Connect pull-mode members to the control plane',
  description: `Gives Karmada a way to the API servers of members that it cannot dial: each member's own agent dials a gateway on the
host cluster, and Karmada's requests travel back through that connection. Afterwards logs, exec, get, search and metrics
work on pull-mode members as on any other.

Nothing of the member needs to be reachable and no kubeconfig of it is needed: the agent travels through Karmada itself.
Run again, it changes only what is not as it should be. "anp down" takes everything back.`,
  examples: [
    ['Connect every pull-mode member', 'anp up --all'],
    ['See what would be applied', 'anp up member1 --dry-run=client -o yaml'],
    ['The members reach the host under another name', 'anp up --all --address gw.example.com:443'],
    [
      "Deliver with the member's own kubeconfig context",
      'anp up member1 --deliver context --member-context member1=edge',
    ],
  ],
  args: { names: arg.many('MEMBER', { complete: memberNames('Pull') }) },
  flags: {
    ...planeFlags,
    ...anpMutatingFlags,
    all: allFlag('Every pull-mode member'),
    expose: flag.choice(['nodeport', 'loadbalancer', 'hostport'], 'How members reach the gateway; default: nodeport'),
    address: flag.string('HOST[:PORT] that members dial; default: found by itself'),
    apiEndpoint: flag.string(
      "The API server as the member's own pods reach it; default: https://kubernetes.default.svc:443",
    ),
    deliver: flag.choice(
      ['karmada', 'context', 'print'],
      "How the agent gets to the member: by a Work, with the member's context, or as manifests to hand over; default: karmada",
    ),
    replicas: flag.count('Replicas of each part (default 2)', { min: 1, max: 8 }),
    memberNamespace: flag.string('Namespace for the agent in the member; default: karmada-system'),
    imageRegistry: flag.string('Take the images from this registry: mirror.example.com/k8s'),
    showSecrets: flag.boolean('With --dry-run=client: show the data of Secrets'),
    output: outputFlag(['yaml', 'json', 'name']),
  },
  async run({ names, flags, session }) {
    const { selectMembers } = await import('../../topology/members.ts')
    const { requireKarmada } = await import('../../topology/version.ts')
    const anp = await import('../../anp/index.ts')
    const { perform } = await import('../../cli/perform.ts')
    const { toYaml } = await import('../../kube/manifest.ts')
    const address = flags.address === undefined ? undefined : anp.parseAddress(flags.address)
    if (flags.address !== undefined && !address) {
      throw new UserError(`invalid argument "${flags.address}" for "--address" flag: must be HOST[:PORT]`)
    }
    const apiServer = flags.apiEndpoint === undefined ? undefined : apiServerOf(flags.apiEndpoint)
    let plane = await openPlane(flags, session, { memberContexts: flags.deliver === 'context' })
    requireKarmada(plane, oldestKarmada, 'anp up')
    const chosen = { names, all: flags.all, mode: 'Pull' } as const
    const { host } = plane
    // What an earlier run was told holds until it is told otherwise: a second run changes nothing.
    const kept = (await anp.readHostRecord(host.client, host.namespace)) ?? anp.defaultSettings
    const told = await recordsOf(selectMembers(plane, chosen), member =>
      anp.readRecord(host.client, member, host.namespace),
    )
    if (flags.deliver === undefined && [...told.values()].some(record => record?.deliver === 'context')) {
      plane = await openPlane(flags, session, { memberContexts: true })
    }
    const members = selectMembers(plane, chosen)
    const jobs = members.map(member => jobOf(member, told.get(member.name), { ...flags, apiServer }))
    requireContexts(jobs)
    const world = anp.openWorld({
      host: host.client,
      hostName: host.context,
      karmada: plane.client,
      namespace: host.namespace,
      clusterDomain: host.clusterDomain,
      components: host.installation.components,
      signal: session.signal,
      timeoutMs: flags.timeout,
      force: flags.force,
      settings: {
        expose: flags.expose ?? kept.expose,
        address: address ?? kept.address,
        replicas: flags.replicas ?? kept.replicas,
        imageRegistry: flags.imageRegistry ?? kept.imageRegistry,
      },
      handOver: async objects => void session.io.stdout.write(toYaml(objects)),
    })
    const groups = jobs.map(job => anp.connectGroup(job, { alone: jobs.length === 1 }))
    if (flags.dryRun !== 'none') {
      await anp.preflight(world, jobs)
      const { dryRun, output, showSecrets } = flags
      await perform(session, [{ steps: [anp.gatewayStep] }, ...groups], world, { dryRun, output, showSecrets })
      return
    }
    announce(session, plane, members)
    const started = session.io.now()
    const { changed } = await perform(
      session,
      [{ steps: [anp.preflightStep(jobs), anp.gatewayStep] }, ...groups],
      world,
      {
        undo: begun => `anp down ${begun.join(' ')}`,
      },
    )
    conclude(session, members, changed, session.io.now() - started)
  },
})

async function recordsOf(
  members: Member[],
  read: (member: string) => Promise<Recorded | undefined>,
): Promise<Map<string, Recorded | undefined>> {
  return new Map(await Promise.all(members.map(async ({ name }) => [name, await read(name)] as const)))
}

/** What the flags say, else what an earlier run was told, else what fits nearly everybody. */
function jobOf(
  { name, client }: Member,
  told: Recorded | undefined,
  flags: { deliver?: Delivery | undefined; apiServer?: Address | undefined; memberNamespace?: string | undefined },
): MemberJob {
  return {
    member: name,
    client,
    deliver: flags.deliver ?? told?.deliver ?? 'karmada',
    apiServer: flags.apiServer ?? told?.apiServer ?? { host: 'kubernetes.default.svc', port: 443 },
    memberNamespace: flags.memberNamespace ?? told?.memberNamespace ?? 'karmada-system',
  }
}

function conclude(session: Session, members: Member[], changed: boolean, elapsedMs: number): void {
  const who = members.map(({ name }) => name).join(', ')
  session.say()
  if (!changed) {
    const are = members.length === 1 ? 'is' : 'are'
    session.say(`Nothing to do: ${who} ${are} connected and as this version writes them.`)
    return
  }
  session.say(`Connected: ${who} (${Math.round(elapsedMs / 1000)}s).`)
  session.say(`Try:  karmadactl get pods --operation-scope=members\n      ${program} anp verify`)
}

function announce(session: Session, plane: Plane, members: Member[]): void {
  const who = `member${members.length === 1 ? '' : 's'} ${members.map(({ name }) => name).join(', ')}`
  session.say(`Plane ${plane.name} (context ${plane.context}) on host ${plane.host.context}; ${who}\n`)
}

function requireContexts(jobs: MemberJob[]): void {
  const without = jobs.filter(({ client, deliver }) => deliver === 'context' && !client).map(({ member }) => member)
  if (without.length === 0) return
  throw new UserError(`no context leads to ${without.join(', ')}`, {
    hint: `name it with --member-context ${without[0]}=CONTEXT, or --deliver karmada: no context is needed`,
  })
}
