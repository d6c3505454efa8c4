import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { UserError } from '../errors.ts'
import type { KubeconfigUser } from './kubeconfig.ts'

/**
 * Headers from a user's `auth-provider` (oidc, gcp, azure), by client-node. Heavy: import this file lazily.
 * The returned function throws `UserError` when there is no login to be had.
 */
export function authProvider({ name, authProvider }: KubeconfigUser): () => Promise<Record<string, string>> {
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'any', server: 'https://localhost', skipTLSVerify: false },
    { name, authProvider },
  )
  return async () => {
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
    return { Authorization: token }
  }
}
