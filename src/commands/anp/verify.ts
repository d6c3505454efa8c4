import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { outputFlag, planeFlags } from '../../cli/flags.ts'
import { UserError } from '../../errors.ts'
import { memberNames, openPlane } from '../session.ts'

export const anpVerify = defineCommand({
  name: 'anp verify',
  summary: 'Prove by real requests that Karmada reaches its members',
  description: `Walks the path of Karmada's requests hop by hop, with the real thing: the proxy servers, the agents connected to them, CONNECT,
the API server's name and authority, a node list and a log stream through Karmada; and that the tunnel leads nowhere else.
The first hop that fails is named, with what it said. Changes nothing. Exit code 1 when a check failed.`,
  examples: [
    ['Every connected member', 'anp verify'],
    ['One member, for programs', 'anp verify member1 -o json'],
  ],
  args: { names: arg.many('MEMBER', { complete: memberNames('Pull') }) },
  flags: { ...planeFlags, output: outputFlag(['json', 'yaml']) },
  async run({ names, flags, session }) {
    const { selectMembers } = await import('../../topology/members.ts')
    const { readRecord, tunnelChecks } = await import('../../anp/index.ts')
    const { showChecks } = await import('../../cli/checks.ts')
    const plane = await openPlane(flags, session)
    const { host, client: karmada } = plane
    const members = selectMembers(plane, { names, all: names.length === 0, mode: 'Pull' })
    const found = await Promise.all(
      members.map(async ({ name }) => ({
        member: name,
        recorded: await readRecord(host.client, name, host.namespace),
      })),
    )
    const without = found.filter(({ recorded }) => !recorded).map(({ member }) => member)
    if (without.length > 0 && (names.length > 0 || without.length === found.length)) {
      throw new UserError(`${without.join(', ')} ${without.length === 1 ? 'is' : 'are'} not connected`, {
        hint: `kubectl karmada-net anp up ${without.join(' ')}`,
      })
    }
    const groups = found.flatMap(({ member, recorded }) => (recorded ? [tunnelChecks({ member, recorded })] : []))
    const world = { host: host.client, karmada, namespace: host.namespace, signal: session.signal }
    await showChecks(session, groups, world, { output: flags.output })
  },
})
