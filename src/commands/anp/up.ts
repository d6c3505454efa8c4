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
    expose: flag.choice(['nodeport', 'loadbalancer', 'hostport'], 'How members reach the gateway', {
      default: 'nodeport',
    }),
    address: flag.string('HOST[:PORT] that members dial; default: found by itself'),
    apiEndpoint: flag.string("The API server as the member's own pods reach it", {
      default: 'https://kubernetes.default.svc:443',
    }),
    deliver: flag.choice(
      ['karmada', 'context', 'print'],
      "How the agent gets to the member: karmada: by a Work; context: with the member's context; print: manifests to hand over",
      { default: 'karmada' },
    ),
    replicas: flag.count('Replicas of each part', { default: 2, min: 1, max: 8 }),
    memberNamespace: flag.string('Namespace for the agent in the member', { default: 'karmada-system' }),
    imageRegistry: flag.string('Take the images from this registry: mirror.example.com/k8s'),
    showSecrets: flag.boolean('With --dry-run=client: show the data of Secrets'),
    output: outputFlag(['yaml', 'json', 'name']),
  },
  async run({ names, flags, session }) {
    const { selectMembers } = await import('../../topology/members.ts')
    const { requireKarmada } = await import('../../topology/version.ts')
    const { connectGroup, gatewayStep, openWorld, parseAddress, preflight, preflightStep } = await import(
      '../../anp/index.ts'
    )
    const { perform } = await import('../../cli/perform.ts')
    const { toYaml } = await import('../../kube/manifest.ts')
    const address = flags.address === undefined ? undefined : parseAddress(flags.address)
    if (flags.address !== undefined && !address) {
      throw new UserError(`invalid argument "${flags.address}" for "--address" flag: must be HOST[:PORT]`)
    }
    const apiServer = apiServerOf(flags.apiEndpoint)
    const plane = await openPlane(flags, session, { memberContexts: flags.deliver === 'context' })
    requireKarmada(plane, oldestKarmada, 'anp up')
    const members = selectMembers(plane, { names, all: flags.all, mode: 'Pull' })
    const jobs: MemberJob[] = members.map(({ name, client }) => ({
      member: name,
      deliver: flags.deliver,
      client,
      apiServer,
      memberNamespace: flags.memberNamespace,
    }))
    if (flags.deliver === 'context') requireContexts(members)
    const { host } = plane
    const world = openWorld({
      host: host.client,
      hostName: host.context,
      karmada: plane.client,
      namespace: host.namespace,
      clusterDomain: host.clusterDomain,
      components: host.installation.components,
      signal: session.signal,
      timeoutMs: flags.timeout,
      force: flags.force,
      expose: flags.expose,
      address,
      replicas: flags.replicas,
      imageRegistry: flags.imageRegistry,
      handOver: async objects => void session.io.stdout.write(toYaml(objects)),
    })
    const groups = jobs.map(job => connectGroup(job, { alone: jobs.length === 1 }))
    if (flags.dryRun !== 'none') {
      await preflight(world, jobs)
      const { dryRun, output, showSecrets } = flags
      await perform(session, [{ steps: [gatewayStep] }, ...groups], world, { dryRun, output, showSecrets })
      return
    }
    announce(session, plane, members)
    const started = session.io.now()
    const { changed } = await perform(session, [{ steps: [preflightStep(jobs), gatewayStep] }, ...groups], world, {
      undo: begun => `anp down ${begun.join(' ')}`,
    })
    const who = members.map(({ name }) => name).join(', ')
    session.say()
    if (!changed) {
      session.say(
        `Nothing to do: ${who} ${members.length === 1 ? 'is' : 'are'} connected and as this version writes them.`,
      )
      return
    }
    session.say(`Connected: ${who} (${Math.round((session.io.now() - started) / 1000)}s).`)
    session.say(`Try:  karmadactl get pods --operation-scope=members\n      ${program} anp verify`)
  },
})

function announce(session: Session, plane: Plane, members: Member[]): void {
  const who = `member${members.length === 1 ? '' : 's'} ${members.map(({ name }) => name).join(', ')}`
  session.say(`Plane ${plane.name} (context ${plane.context}) on host ${plane.host.context}; ${who}\n`)
}

function requireContexts(members: Member[]): void {
  const without = members.filter(({ client }) => !client).map(({ name }) => name)
  if (without.length === 0) return
  throw new UserError(`no context leads to ${without.join(', ')}`, {
    hint: `name it with --member-context ${without[0]}=CONTEXT, or leave out --deliver context: no context is needed`,
  })
}
