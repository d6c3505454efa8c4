import { arg } from '../../cli/arg.ts'
import { defineCommand } from '../../cli/command.ts'
import { flag } from '../../cli/flag.ts'
import { outputFlags } from '../../cli/flags.ts'
import type { Session } from '../../cli/session.ts'
import { UserError } from '../../errors.ts'
import type { KeyGroup, Owner } from '../../etcd/keys/owners.ts'
import type { EtcdWorld } from '../../etcd/world.ts'
import { etcdFlags, openEtcd } from './shared.ts'

type Output = 'json' | 'yaml' | 'name' | 'wide'

export const etcdKeys = defineCommand({
  name: 'etcd keys',
  summary: 'Show what is stored in an etcd cluster, and by whom',
  description: `Without a prefix: one line for each owner, which is whatever writes below one prefix: a Karmada control plane, a Kubernetes
cluster, this plugin. With a prefix: what lies below it, one level further each time. Values are never shown, and only a few of them
read: a size with ~ is reckoned from those.

--check-prefix tells whether a new control plane may be given that prefix (exit code 1 when not): two that share one, or lie in one
another's, write over each other.`,
  examples: [
    ['Who stores what', 'etcd keys'],
    ['The kinds of one owner', 'etcd keys /registry/karmada'],
    ['Is a prefix free', 'etcd keys --check-prefix /registry/karmada-2'],
  ],
  args: { prefix: arg.one('PREFIX') },
  flags: {
    ...etcdFlags,
    ...outputFlags,
    checkPrefix: flag.string('Tell whether a new control plane may be given this prefix'),
  },
  async run({ prefix, flags, session }) {
    const world = await openEtcd(flags, session)
    if (flags.checkPrefix !== undefined) return checkPrefix(world, session, flags.checkPrefix, flags.output)
    const { readKeys } = await import('../../etcd/keys/index.ts')
    const say = progressOn(session)
    const found = await readKeys(world, prefix?.replace(/\/+$/, '') || undefined, say)
    const { print } = await import('../../cli/print.ts')
    const { formatBytes } = await import('../../etcd/bytes.ts')
    const size = ({ bytes, estimated }: KeyGroup) => `${estimated ? '~' : ''}${formatBytes(bytes)}`
    const common = [
      { header: 'KEYS', value: (row: KeyGroup) => row.keys },
      { header: 'SIZE', value: size },
    ]
    const name = (row: KeyGroup) => row.prefix
    const empty = prefix === undefined ? 'It is empty' : `No keys below ${prefix}`
    const { owners, groups, revision } = found
    if (prefix !== undefined) {
      const columns = [{ header: 'BELOW', value: name }, ...common]
      const data = () => ({ revision: String(revision), items: groups })
      return print<KeyGroup>(session, { columns, rows: groups, data, name, empty }, flags.output)
    }
    const columns = [
      { header: 'PREFIX', value: name },
      ...common,
      { header: 'OWNER', value: (row: Owner) => `${row.about}${row.nestedIn ? ` (inside ${row.nestedIn})` : ''}` },
    ]
    const data = () => ({ revision: String(revision), items: owners })
    await print<Owner>(session, { columns, rows: owners, data, name, empty }, flags.output)
    if (!flags.output) warnOf(owners, session)
  },
})

/** A count that goes up, on a terminal only. */
function progressOn({ io, quiet }: Session): ((keys: number) => void) | undefined {
  if (quiet || !io.stderr.isTTY) return undefined
  return keys => void io.stderr.write(keys < 0 ? '\r\u001b[K' : `\r${keys} keys`)
}

function warnOf(owners: readonly Owner[], session: Session): void {
  for (const { kind, prefix } of owners) {
    if (kind === 'both') session.warn(`a Kubernetes cluster and a Karmada write to ${prefix}, over each other`)
  }
  for (const { prefix, nestedIn } of owners) {
    if (nestedIn !== undefined) session.warn(`${prefix} lies inside ${nestedIn}: who deletes one deletes both`)
  }
}

async function checkPrefix(
  world: EtcdWorld,
  session: Session,
  text: string,
  output: Output | undefined,
): Promise<void> {
  const { checkNewPrefix } = await import('../../etcd/keys/index.ts')
  const { printData } = await import('../../cli/print.ts')
  const { prefix, verdict } = await checkNewPrefix(world, text)
  if (output === 'json' || output === 'yaml') await printData(session, { prefix, ...verdict }, output)
  if (!verdict.free) throw new UserError(verdict.why, { hint: verdict.hint })
  if (output !== 'json' && output !== 'yaml') session.out(`${prefix} is free`)
}
