import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { UserError } from '../errors.ts'
import { type Credentials, fixed } from './identity.ts'
import type { KubeconfigUser } from './kubeconfig.ts'

/** OIDC, GCP and Azure logins of old, by client-node. Heavy: import this file lazily. */
export function providerCredentials({ name, authProvider }: KubeconfigUser): Credentials {
  const config = new KubeConfig()
  const cluster = { name: 'any', server: 'https://localhost', skipTLSVerify: false }
  config.loadFromClusterAndUser(cluster, { name, authProvider })
  return fixed(async () => {
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
    try {
      await config.applyToHTTPSOptions(options)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new UserError(`auth-provider ${authProvider?.name} of user "${name}": ${why}`, { cause: error })
    }
    const token = options.headers['Authorization']
    if (!token)
      throw new UserError(`auth-provider ${authProvider?.name} of user "${name}" gives no login; log in again`)
    return { headers: { Authorization: token } }
  })
}
