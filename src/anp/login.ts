import { UserError } from '../errors.ts'
import type { Cluster } from '../karmada/cluster.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'
import type { MemberLogin } from './dial.ts'

interface Secret extends KubeObject {
  data?: Record<string, string>
}

/** Karmada's own login to a member, from the Secret that its Cluster names. Throws `UserError` when there is none. */
export async function memberLogin(karmada: KubeClient, { metadata, spec }: Cluster): Promise<MemberLogin> {
  const { secretRef } = spec
  const secret = secretRef && (await karmada.find<Secret>({ apiVersion: 'v1', kind: 'Secret', ...secretRef }))
  const text = (file: string) => Buffer.from(secret?.data?.[file] ?? '', 'base64').toString()
  const token = text('token')
  if (!token) {
    throw new UserError(`cluster "${metadata.name}" has no Secret with a token`, {
      hint: 'its karmada-agent must report secrets: --report-secrets=KubeCredentials,KubeImpersonator',
    })
  }
  return { token, authority: text('caBundle') || undefined }
}
