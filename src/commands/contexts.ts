import { defineCommand } from '../cli/command.ts'
import { outputFlags, planeFlags } from '../cli/flags.ts'
import { print } from '../cli/print.ts'
import type { Column } from '../cli/table.ts'
import type { FleetRow } from '../topology/types.ts'
import { openFleet } from './session.ts'

export const contexts = defineCommand({
  name: 'contexts',
  summary: 'Show which context is a host, a Karmada control plane, or a member',
  description: `Asks every context of the kubeconfig at once, each for 5 seconds at most, and says what it is: the host that Karmada
runs in, a Karmada control plane, one of its members, or none of these. Members that no context leads to are listed, too.

A member is known by the UID of its kube-system namespace, a host by the API server pod that answers for the plane (or by its address or
certificate where that cannot be read). All other commands find their clusters in the same way; --context, --host-context and
--member-context override it.`,
  examples: [
    ['Who is who', 'contexts'],
    ['With servers, and who installed Karmada', 'contexts -o wide'],
    ['For programs', 'contexts -o json'],
  ],
  flags: { ...planeFlags, ...outputFlags },
  async run({ flags, session }) {
    const { rows } = await openFleet(flags, session)
    await print(
      session,
      {
        columns,
        rows: flags.output === 'name' ? rows.filter(({ context }) => context !== undefined) : rows,
        name: ({ context = '' }) => context,
        empty: 'The kubeconfig has no contexts',
      },
      flags.output,
    )
  },
})

const columns: Column<FleetRow>[] = [
  { header: 'CONTEXT', value: ({ context }) => context },
  { header: 'ROLE', value: ({ role, mode }) => (role === 'member' && mode ? `member (${mode.toLowerCase()})` : role) },
  { header: 'CLUSTER', value: ({ cluster }) => cluster },
  { header: 'PLANE', value: ({ planes }) => planes.join(', ') || undefined },
  { header: 'INSTALLED BY', value: installers, wide: true },
  { header: 'VERSION', value: ({ version }) => version },
  { header: 'ACCESS', value: ({ access }) => access },
  { header: 'SERVER', value: ({ server }) => server, wide: true },
  { header: 'NOTE', value: ({ note }) => note },
]

function installers({ installations }: FleetRow): string | undefined {
  const texts = installations.map(({ installedBy, karmadaVersion }) =>
    [installedBy, karmadaVersion].filter(Boolean).join(' '),
  )
  return [...new Set(texts)].join(', ') || undefined
}
