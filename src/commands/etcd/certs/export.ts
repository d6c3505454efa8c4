import { arg } from '../../../cli/arg.ts'
import { defineCommand } from '../../../cli/command.ts'
import type { Complete } from '../../../cli/complete.ts'
import { flag } from '../../../cli/flag.ts'
import { UserError } from '../../../errors.ts'
import { type EtcdFlags, etcdFlags, openEtcd } from '../shared.ts'

const consumers: Complete = async ({ flags, session }) => {
  const { consumersOf } = await import('../../../etcd/certs/index.ts')
  return consumersOf(await openEtcd(flags as EtcdFlags, session))
}

export const etcdCertsExport = defineCommand({
  name: 'etcd certs export',
  summary: "Write a consumer's certificate, its key and the authority into a folder",
  description: `Writes ca.crt, tls.crt and tls.key (0600), named as the Secrets of Karmada's installers name them. In the middle of a change of
the authority ca.crt holds both.`,
  examples: [
    ['For karmada-apiserver', 'etcd certs export karmada-apiserver --out ./pki'],
    ['For etcdctl', 'etcd certs export admin --out ./pki'],
  ],
  args: { consumer: arg.one('CONSUMER', { complete: consumers }) },
  flags: { ...etcdFlags, out: flag.string('Folder to write into', { files: true }) },
  async run({ consumer, flags, session }) {
    const { consumersOf, exportClient } = await import('../../../etcd/certs/index.ts')
    const world = await openEtcd(flags, session)
    const all = consumersOf(world).join(', ')
    if (consumer === undefined) throw new UserError('whose certificate?', { hint: `consumers here: ${all}` })
    if (flags.out === undefined) {
      throw new UserError('where to? a key is not printed', {
        hint: `kubectl karmada-net etcd certs export ${consumer} --out DIR`,
      })
    }
    const { ca, certificate, key, issued } = await exportClient(world, consumer, flags.out)
    if (issued) session.say(`Issued anew for ${consumer}.`)
    for (const path of [ca, certificate, key]) session.out(path)
  },
})
