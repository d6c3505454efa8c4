import { env } from 'node:process'
import { down } from '../sandbox/down.ts'
import { openSandbox } from '../sandbox/index.ts'
import { emptyShape, type Shape } from '../sandbox/plan.ts'
import { installPlugin } from '../sandbox/plugin.ts'
import { up } from '../sandbox/up.ts'
import { createReport } from '../setup/report.ts'

export const setup = () => provideSandbox('e2e', { ...emptyShape, hosts: 2, pull: 2, push: 1, machines: 3 })

/**
 * A sandbox for a project's tests, beside whatever else is up, with the plugin. Resolves with what removes it.
 * One that is up already is used and stays; one that KARMADA_NET_SANDBOX names is not made larger: it is for a part of the tests.
 */
export async function provideSandbox(ownName: string, shape: Shape): Promise<() => Promise<void>> {
  const named = Boolean(env['KARMADA_NET_SANDBOX'])
  const name = env['KARMADA_NET_SANDBOX'] || ownName
  env['KARMADA_NET_SANDBOX'] = name
  const existed = await openSandbox(name).then(
    () => true,
    () => false,
  )
  await up(name, existed && named ? emptyShape : shape, createReport())
  await installPlugin(await openSandbox(name))
  return async () => {
    if (!existed) await down(name)
  }
}
