import { env } from 'node:process'
import { down } from '../sandbox/down.ts'
import { openSandbox } from '../sandbox/index.ts'
import { installPlugin } from '../sandbox/plugin.ts'
import { up } from '../sandbox/up.ts'
import { createReport } from '../setup/report.ts'

/** The sandbox of these tests, beside whatever else is up. */
const name = env['KARMADA_NET_SANDBOX'] || 'e2e'
const shape = { hosts: 2, pull: 2, push: 1, karmada: true, machines: 5 }
/** A sandbox that is up already is used and stays; one that was named is not made larger: it is for a part of the tests. */
const asItIs = { hosts: 0, pull: 0, push: 0, karmada: true, machines: 0 }

export async function setup(): Promise<() => Promise<void>> {
  const named = Boolean(env['KARMADA_NET_SANDBOX'])
  env['KARMADA_NET_SANDBOX'] = name
  const existed = await openSandbox(name).then(
    () => true,
    () => false,
  )
  await up(name, existed && named ? asItIs : shape, createReport())
  await installPlugin(await openSandbox(name))
  return async () => {
    if (!existed) await down(name)
  }
}
