import { UserError } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { ExecPluginIo } from './exec-plugin.ts'
import { type Credentials, fixed } from './identity.ts'
import type { ExecConfig, KubeconfigUser } from './kubeconfig.ts'
import { readFile } from './read-file.ts'
import { type ClientCertificate, readPem } from './trust.ts'

/**
 * The credentials of a kubeconfig's user. As kubectl: a token, a login or a certificate goes before an exec plugin,
 * and nothing is sent over plain http.
 */
export function credentialsOf(connection: Connection, io: ExecPluginIo): Credentials {
  const { user, cluster } = connection
  if (cluster.server.startsWith('http:')) return fixed(async () => ({ headers: {} }))
  const explicit = user.token || user.tokenFile || user.username || user.clientCertificate || user.clientCertificateData
  if (explicit) return explicitCredentials(user)
  if (user.exec) return execPlugin(connection, user.exec, io)
  if (user.authProvider) return lazily(async () => (await import('./auth-provider.ts')).providerCredentials(user))
  return fixed(async () => ({ headers: {} }))
}

/** `Impersonate-...` headers for the user's `as` fields; `connectionOf` has checked that they go together. */
export function impersonation(user: KubeconfigUser): Record<string, string | string[]> {
  if (!user.as) return {}
  const extra = Object.entries(user.asUserExtra ?? {})
  return {
    'Impersonate-User': user.as,
    ...(user.asUid ? { 'Impersonate-Uid': user.asUid } : {}),
    ...(user.asGroups?.length ? { 'Impersonate-Group': user.asGroups } : {}),
    ...Object.fromEntries(extra.map(([key, values]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, values])),
  }
}

function explicitCredentials(user: KubeconfigUser): Credentials {
  let certificate: Promise<ClientCertificate | undefined> | undefined
  let lastToken: string | undefined
  return fixed(async () => {
    certificate ??= clientCertificate(user)
    if (user.tokenFile) lastToken = await tokenFrom(user.tokenFile, lastToken ?? user.token, user.name)
    const token = user.tokenFile ? lastToken : user.token
    return { headers: authorization(token, user), certificate: await certificate }
  })
}

function authorization(token: string | undefined, user: KubeconfigUser): Record<string, string> {
  if (token) return { Authorization: `Bearer ${token}` }
  if (!user.username) return {}
  const login = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')
  return { Authorization: `Basic ${login}` }
}

/** Read anew for each request: it is small, and a rotated token counts at once. The last one bridges a moment without the file. */
async function tokenFrom(file: string, last: string | undefined, user: string): Promise<string> {
  try {
    const token = (await readFile(file, 'utf8')).trim()
    if (token) return token
    throw new UserError(`tokenFile ${file} of user "${user}" is empty`)
  } catch (error) {
    if (last) return last
    if (error instanceof UserError) throw error
    throw new UserError(`tokenFile ${file} of user "${user}" cannot be read`, { cause: error })
  }
}

async function clientCertificate(user: KubeconfigUser): Promise<ClientCertificate | undefined> {
  const owner = `user "${user.name}"`
  const pem = async (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : file ? await readPem(file, owner) : undefined
  const cert = await pem(user.clientCertificateData, user.clientCertificate)
  if (!cert) return undefined
  const key = await pem(user.clientKeyData, user.clientKey)
  if (!key) throw new UserError(`${owner} has a client certificate and no client key`)
  return { cert, key }
}

function execPlugin(connection: Connection, exec: ExecConfig, io: ExecPluginIo): Credentials {
  return lazily(async () => (await import('./exec-plugin.ts')).execCredentials(connection, exec, io))
}

/** For logins that few users have: their code is loaded with the first request. */
function lazily(load: () => Promise<Credentials>): Credentials {
  let loading: Promise<Credentials> | undefined
  const loaded = () => {
    loading ??= load()
    return loading
  }
  return {
    current: async () => (await loaded()).current(),
    renew: async used => (await loaded()).renew(used),
  }
}
