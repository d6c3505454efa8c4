import { parseArgs } from 'node:util'
import { UserError } from '../../errors.ts'
import { canonicalHost, formatEndpoint } from '../address.ts'
import { install } from './install.ts'
import { wakeIpvs } from './programs.ts'
import { uninstall } from './uninstall.ts'

/** `install --root=/host`. Answers what to say. Throws `UserError`. */
export async function installCommand(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options: { root: { type: 'string', default: '' } } })
  const { boot, changed } = await install({ root: values.root, loadModules: wake })
  const next =
    boot === 'systemd'
      ? 'the next boot puts the virtual IP back'
      : 'no systemd here: nothing puts the virtual IP back at a boot'
  return [...changed.map(path => `written: ${path}`), next].join('\n')
}

/** A refusal is told by what is missing then. */
const wake = async (): Promise<void> => {
  await wakeIpvs()
}

/** `uninstall --root=/host --vip=ADDRESS --port=PORT`. Answers what to say. Throws `UserError` with what is left. */
export async function uninstallCommand(args: string[]): Promise<string> {
  const options = {
    root: { type: 'string', default: '' },
    vip: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
  } as const
  const { values } = parseArgs({ args, options })
  const vip = { host: canonicalHost(values.vip) ?? '', port: Number(values.port) }
  if (vip.host === '' || !vip.port) throw new UserError('uninstall needs --vip=ADDRESS and --port=PORT')
  const left = await uninstall({ root: values.root, vip })
  if (left.length > 0) throw new UserError(left.join('\n'))
  return `nothing is left of ${formatEndpoint(vip)}`
}
