import { createPrivateKey } from 'node:crypto'
import { createAuthority, issue, type KeyPair } from '../pki/certificate.ts'
import { expiry, whyReplace } from '../pki/inspect.ts'

/** The keys of one member's tunnel. Each member has its own authority: its certificate opens no other member's server. */
export interface TunnelCertificates {
  authority: KeyPair
  server: KeyPair
  agent: KeyPair
}

const authorityDays = 3650
const leafDays = 365
/** Leaves are issued anew when this is left, so that any `anp up` in the last month renews them. */
const renewBeforeDays = 30

export interface Renewal {
  certificates: TunnelCertificates
  /** What had to be made, and why; empty when everything could stay. */
  made: string[]
}

/**
 * Keeps what can be kept of `existing` and makes the rest: an authority that ends or is damaged takes its leaves with it;
 * a leaf is replaced when it nears its end or does not name the gateway's address.
 */
export function ensureCertificates(
  member: string,
  gatewayHost: string,
  existing: Partial<TunnelCertificates>,
  now: Date,
): Renewal {
  const made: string[] = []
  const authority = keepOr(
    existing.authority,
    pair => whyReplace(pair, { authority: pair.certificate, minDaysLeft: renewBeforeDays, now }),
    () => createAuthority(`karmada-net anp ${member}`, { days: authorityDays, now }),
    why => made.push(`authority (${why})`),
  )
  const signer = () => ({ certificate: authority.certificate, key: createPrivateKey(authority.key) })
  const need = { authority: authority.certificate, minDaysLeft: renewBeforeDays, now }
  const server = keepOr(
    existing.server,
    pair => whyReplace(pair, { ...need, names: [gatewayHost] }),
    () =>
      issue(signer(), {
        commonName: `anp-server ${member}`,
        usages: ['server'],
        names: [gatewayHost],
        days: leafDays,
        now,
      }),
    why => made.push(`server (${why})`),
  )
  const agent = keepOr(
    existing.agent,
    pair => whyReplace(pair, need),
    () => issue(signer(), { commonName: `anp-agent ${member}`, usages: ['client'], days: leafDays, now }),
    why => made.push(`agent (${why})`),
  )
  return { certificates: { authority, server, agent }, made }
}

function keepOr(
  existing: KeyPair | undefined,
  whyNot: (pair: KeyPair) => string | undefined,
  make: () => KeyPair,
  say: (why: string) => void,
): KeyPair {
  const why = existing ? whyNot(existing) : 'new'
  if (existing && !why) return existing
  say(why ?? 'new')
  return make()
}

/** When the first of the leaves ends. */
export const firstExpiry = ({ server, agent }: TunnelCertificates): Date => {
  const [first] = [expiry(server.certificate), expiry(agent.certificate)].sort((a, b) => a.getTime() - b.getTime())
  return first ?? expiry(server.certificate)
}
