import type { KubeClient, KubeObject } from '../kube/types.ts'
import type { KeyPair } from '../pki/certificate.ts'
import { ensureCertificates, type Renewal, type TunnelCertificates } from './certificates.ts'
import { authorityName, serverName } from './names.ts'

interface Secret extends KubeObject {
  data?: Record<string, string>
}

const secretRef = (name: string, namespace: string) => ({ apiVersion: 'v1', kind: 'Secret', name, namespace })

/** The keys of a member's tunnel as they stand on the host cluster; what is not there is left out. */
export async function readCertificates(
  host: KubeClient,
  member: string,
  namespace: string,
): Promise<Partial<TunnelCertificates>> {
  const [kept, served] = await Promise.all([
    host.find<Secret>(secretRef(authorityName(member), namespace)),
    host.find<Secret>(secretRef(serverName(member), namespace)),
  ])
  return {
    ...pair('authority', kept, 'ca.crt', 'ca.key'),
    ...pair('agent', kept, 'agent.crt', 'agent.key'),
    ...pair('server', served, 'tls.crt', 'tls.key'),
  }
}

function pair<Name extends string>(
  name: Name,
  secret: Secret | undefined,
  certificate: string,
  key: string,
): { [K in Name]?: KeyPair } {
  const text = (file: string) => Buffer.from(secret?.data?.[file] ?? '', 'base64').toString()
  const found: KeyPair = { certificate: text(certificate), key: text(key) }
  return found.certificate && found.key ? ({ [name]: found } as { [K in Name]: KeyPair }) : {}
}

/** Reads once and makes what is missing once, so that all steps of a member speak of the same keys. */
export function certificatesOnce(): (
  host: KubeClient,
  member: string,
  namespace: string,
  gatewayHost: string,
  now: Date,
) => Promise<Renewal> {
  let made: Promise<Renewal> | undefined
  return (host, member, namespace, gatewayHost, now) => {
    made ??= readCertificates(host, member, namespace).then(existing =>
      ensureCertificates(member, gatewayHost, existing, now),
    )
    return made
  }
}
