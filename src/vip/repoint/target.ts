import { isIP } from 'node:net'
import { UserError } from '../../errors.ts'
import { canonicalHost, formatEndpoint, isInside } from '../address.ts'
import type { VipSettings } from '../settings.ts'
import type { SeenCertificate } from '../up/certificates.ts'
import type { Target } from './kubeconfig.ts'

export const clients = ['kubelet', 'control-plane-kubelet', 'kube-proxy', 'cluster-info'] as const
export type Client = (typeof clients)[number]

/** `kubelet,cluster-info`. Throws `UserError`. Pure. */
export function parseClients(text: string): Client[] {
  const words = text.split(',').map(word => word.trim())
  const wrong = words.find(word => !clients.some(client => client === word))
  if (wrong !== undefined)
    throw new UserError(`"${wrong}" is no client that can be moved`, { hint: `there are ${clients.join(', ')}` })
  return clients.filter(client => words.includes(client))
}

/** The URL that leads by the virtual IP. */
export const serverOf = ({ vip, port }: Pick<VipSettings, 'vip' | 'port'>): string =>
  `https://${formatEndpoint({ host: vip, port })}`

/** With the name that certificates are checked for, where one of them is not known to be for the virtual IP. Pure. */
export function targetFor(settings: VipSettings, seen: readonly SeenCertificate[]): Target {
  const server = serverOf(settings)
  const fit = seen.length > 0 && seen.every(({ fits }) => fits === true)
  return fit ? { server } : { server, tlsServerName: settings.tlsServerName }
}

/** Does a URL lead to the machine itself, where something else spreads connections over API servers? Pure. */
export function isLocal(server: string): boolean {
  const host = URL.canParse(server) ? new URL(server).hostname.replace(/^\[|\]$/g, '') : ''
  if (isIP(host) === 0) return host === 'localhost'
  const address = canonicalHost(host) ?? ''
  return isInside(address, '127.0.0.0/8') || isInside(address, '::1/128')
}
