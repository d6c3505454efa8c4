import { UserError } from '../../errors.ts'
import { parseEndpoint } from '../address.ts'
import { readSettings, type Scheduler, type VipSettings } from '../settings.ts'

export interface Given {
  vip: string | undefined
  /** `ADDRESS:PORT,...` */
  servers: string | undefined
  /** Default: the first server's, as clients keep their port when they move to the virtual IP. */
  port: number | undefined
  scheduler: Scheduler | undefined
  tlsServerName: string | undefined
}

const example = 'kubectl karmada-net vip render --vip 198.18.0.1 --servers 10.0.0.1:6443,10.0.0.2:6443 --out DIR'

/** What the flags say, with nobody asked. Throws `UserError` for what cannot be. Pure. */
export function settingsFrom({ vip, servers, port, ...others }: Given): VipSettings {
  if (vip === undefined)
    throw new UserError('which address is to be the virtual IP? one that nobody has', { hint: example })
  const staticServers = (servers ?? '')
    .split(',')
    .map(text => text.trim())
    .filter(Boolean)
  const [first] = staticServers
  if (first === undefined) throw new UserError('which API servers is it to lead to?', { hint: example })
  const stranger = staticServers.find(text => parseEndpoint(text) === undefined)
  if (stranger !== undefined) {
    throw new UserError(`--servers: ${stranger} is not an IP address and a port`, {
      hint: '10.0.0.1:6443 or [fd00::1]:6443',
    })
  }
  try {
    return readSettings(JSON.stringify({ vip, port: port ?? parseEndpoint(first)?.port, ...others, staticServers }))
  } catch (error) {
    if (!(error instanceof UserError) || error.hint !== undefined) throw error
    throw new UserError(error.message, { hint: example, cause: error })
  }
}
