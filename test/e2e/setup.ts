import { env } from 'node:process'
import { down } from '../sandbox/down.ts'
import { openSandbox } from '../sandbox/index.ts'
import { installPlugin } from '../sandbox/plugin.ts'
import { up } from '../sandbox/up.ts'
import { createReport } from '../setup/report.ts'

/** The sandbox of these tests, beside whatever else is up. One that is up already is used, and stays. */
const name = env['KARMADA_NET_SANDBOX'] || 'e2e'
const shape = { hosts: 2, pull: 2, push: 1, karmada: true, machines: 4 }

export async function setup(): Promise<() => Promise<void>> {
  env['KARMADA_NET_SANDBOX'] = name
  const existed = await openSandbox(name).then(
    () => true,
    () => false,
  )
  await up(name, shape, createReport())
  await installPlugin(await openSandbox(name))
  return async () => {
    if (!existed) await down(name)
  }
}
