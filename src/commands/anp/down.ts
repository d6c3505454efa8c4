import type { Recorded } from '../../anp/record.ts'
import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { outputFlag, planeFlags } from '../../cli/flags.ts'
import type { Member } from '../../topology/types.ts'
import { memberNames, openPlane } from '../session.ts'
import { allFlag, anpMutatingFlags } from './shared.ts'

export const anpDown = defineCommand({
  name: 'anp down',
  summary: 'Put members back as they were before "anp up"',
  description: `Gives karmada-agent and the Cluster the values that "anp up" found, then removes the tunnel from the member and from the host
cluster. With the last member the gateway goes, too. What "anp up" did not make is left alone.`,
  examples: [
    ['One member', 'anp down member1'],
    ['Every member, and the gateway', 'anp down --all'],
  ],
  args: { names: arg.many('MEMBER', { complete: memberNames('Pull') }) },
  flags: {
    ...planeFlags,
    ...anpMutatingFlags,
    all: allFlag('Every pull-mode member'),
    output: outputFlag(['yaml', 'json', 'name']),
  },
  async run({ names, flags, session }) {
    const { selectMembers } = await import('../../topology/members.ts')
    const { disconnectGroup, gatewayGoneStep, openWorld, readRecord } = await import('../../anp/index.ts')
    const { perform } = await import('../../cli/perform.ts')
    const chosen = { names, all: flags.all, mode: 'Pull' } as const
    let plane = await openPlane(flags, session)
    const { host } = plane
    const byHand = await membersByHand(selectMembers(plane, chosen), member =>
      readRecord(host.client, member, host.namespace),
    )
    // Only for these is it worth waiting for every context.
    if (byHand.length > 0) plane = await openPlane(flags, session, { memberContexts: true })
    const members = selectMembers(plane, chosen)
    const world = openWorld({
      host: host.client,
      hostName: host.context,
      karmada: plane.client,
      namespace: host.namespace,
      components: host.installation.components,
      signal: session.signal,
      timeoutMs: flags.timeout,
      force: flags.force,
    })
    const groups = [
      ...members.map(({ name, client }) => disconnectGroup({ member: name, client, left: byHand.includes(name) })),
      { steps: [gatewayGoneStep] },
    ]
    const started = session.io.now()
    const { changed } = await perform(session, groups, world, {
      dryRun: flags.dryRun,
      output: flags.output,
      undo: begun => `anp up ${begun.join(' ')}`,
    })
    if (flags.dryRun !== 'none') return
    const who = members.map(({ name }) => name).join(', ')
    session.say()
    session.say(
      changed
        ? `Disconnected: ${who} (${Math.round((session.io.now() - started) / 1000)}s).`
        : `Nothing to do: ${who} ${members.length === 1 ? 'is' : 'are'} not connected.`,
    )
  },
})

/** Members whose agent did not travel through Karmada: it takes a context to remove it. */
async function membersByHand(
  members: Member[],
  read: (member: string) => Promise<Recorded | undefined>,
): Promise<string[]> {
  const records = await Promise.all(members.map(async ({ name }) => ({ name, record: await read(name) })))
  return records.filter(({ record }) => record && record.deliver !== 'karmada').map(({ name }) => name)
}
