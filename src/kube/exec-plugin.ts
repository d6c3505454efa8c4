import { spawn } from 'node:child_process'
import { UserError } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { Credentials, Identity } from './identity.ts'
import type { ExecConfig } from './kubeconfig.ts'
import { authorityPem } from './trust.ts'

/** What a plugin sees of us. */
export interface ExecPluginIo {
  env: Record<string, string | undefined>
  /** May a plugin ask the person at the terminal? */
  interactive(): boolean
  /** Gets what plugins say on stderr ("open https://... and enter CODE"); without it they write to ours. */
  onStderr?: ((text: string) => void) | undefined
}

interface ExecCredential {
  apiVersion?: string
  kind?: string
  status?: {
    token?: string
    clientCertificateData?: string
    clientKeyData?: string
    expirationTimestamp?: string
  }
}

/** What a plugin gave; `expires` in milliseconds since 1970. */
interface Issued {
  identity: Identity
  expires: number
}

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/** What plugins gave, by their place in the kubeconfig: contexts of one user log in once. */
const shared = new WeakMap<ExecConfig, Map<string, Credentials>>()

/** Credentials from a plugin: kept until they expire, asked for once more after a 401. */
export function execCredentials(connection: Connection, exec: ExecConfig, io: ExecPluginIo): Credentials {
  const known = shared.get(exec) ?? new Map<string, Credentials>()
  shared.set(exec, known)
  // A plugin that is not told of the cluster cannot give it something of its own.
  const key = exec.provideClusterInfo ? JSON.stringify(connection.cluster) : ''
  const credentials = known.get(key) ?? pluginCredentials(connection, exec, io)
  known.set(key, credentials)
  return credentials
}

function pluginCredentials(connection: Connection, exec: ExecConfig, io: ExecPluginIo): Credentials {
  let cached: Promise<Issued> | undefined
  const ask = () => {
    const asked = runPlugin(connection, exec, io).then(identityOf(exec))
    cached = asked
    asked.catch(() => {
      if (cached === asked) cached = undefined
    })
    return asked
  }
  return {
    async current() {
      const seen = cached
      const known = await seen
      if (known && known.expires > Date.now()) return known.identity
      // The first request to notice asks; the others wait for the same answer.
      return (await (cached && cached !== seen ? cached : ask())).identity
    },
    async renew(used) {
      // Another request may have renewed them meanwhile.
      if ((await cached)?.identity === used) await ask()
      return true
    },
  }
}

function identityOf(exec: ExecConfig) {
  return (output: string): Issued => {
    const credential = parse(exec, output)
    const status = credential.status
    const fail = (what: string) => new UserError(`exec plugin ${exec.command} ${what}`)
    if (credential.apiVersion !== exec.apiVersion) {
      throw fail(`returned ${credential.apiVersion}, the kubeconfig wants ${exec.apiVersion}`)
    }
    const { token, clientCertificateData: cert, clientKeyData: key } = status ?? {}
    if (!token && !cert && !key) throw fail('returned neither a token nor a certificate')
    if (!cert !== !key) throw fail('returned only certificate or key, not both')
    return {
      identity: {
        headers: token ? { Authorization: `Bearer ${token}` } : {},
        certificate: cert && key ? { cert, key } : undefined,
      },
      expires: status?.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.POSITIVE_INFINITY,
    }
  }
}

/** One at a time: a terminal can answer one question. */
let terminal: Promise<unknown> = Promise.resolve()

async function runPlugin(connection: Connection, exec: ExecConfig, io: ExecPluginIo): Promise<string> {
  const interactive = mayAsk(exec, io)
  const info = await execInfo(connection, exec, interactive)
  if (!interactive) return run(exec, info, io, false)
  const turn = terminal.then(() => run(exec, info, io, true))
  terminal = turn.catch(() => undefined)
  return turn
}

function mayAsk(exec: ExecConfig, io: ExecPluginIo): boolean {
  const fail = (what: string) => new UserError(`exec plugin ${exec.command}: ${what}`)
  if (!versions.includes(exec.apiVersion)) {
    throw fail(`apiVersion "${exec.apiVersion}" is not supported; it is ${versions.join(' or ')}`)
  }
  const mode = exec.interactiveMode ?? (exec.apiVersion.endsWith('/v1') ? undefined : 'IfAvailable')
  if (mode === 'Never') return false
  if (mode === 'IfAvailable') return io.interactive()
  if (mode !== 'Always') throw fail(`interactiveMode ${mode ? `"${mode}" is unknown` : 'is not set'}`)
  if (!io.interactive()) throw fail('it wants to ask something, and standard input is not a terminal')
  return true
}

/** The value of KUBERNETES_EXEC_INFO. */
async function execInfo({ cluster }: Connection, exec: ExecConfig, interactive: boolean): Promise<string> {
  const ca = exec.provideClusterInfo ? await authorityPem(cluster) : undefined
  const clusterInfo = {
    server: cluster.server,
    'tls-server-name': cluster.tlsServerName,
    'insecure-skip-tls-verify': cluster.insecureSkipTlsVerify || undefined,
    'certificate-authority-data': ca && Buffer.from(ca).toString('base64'),
    'proxy-url': cluster.proxyUrl,
    config: cluster.execConfig,
  }
  return JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion,
    spec: { ...(exec.provideClusterInfo ? { cluster: clusterInfo } : {}), interactive },
  })
}

function run(exec: ExecConfig, info: string, io: ExecPluginIo, interactive: boolean): Promise<string> {
  const added = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]))
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args, {
      env: { ...io.env, ...added, KUBERNETES_EXEC_INFO: info },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', io.onStderr ? 'pipe' : 'inherit'],
    })
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.stderr?.setEncoding('utf8').on('data', text => io.onStderr?.(text))
    child.once('error', error => reject(notRun(exec, error)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output)
      else reject(new UserError(`exec plugin ${exec.command} failed with ${signal ?? `exit code ${code}`}`))
    })
  })
}

function parse(exec: ExecConfig, output: string): ExecCredential {
  try {
    return JSON.parse(output) as ExecCredential
  } catch {
    // What it printed may hold a token: say nothing of it.
    throw new UserError(`exec plugin ${exec.command} did not print an ExecCredential`)
  }
}

function notRun(exec: ExecConfig, error: NodeJS.ErrnoException): UserError {
  const why = error.code === 'ENOENT' ? 'not found' : error.code === 'EACCES' ? 'not executable' : error.message
  // A hint from a file must not steer the terminal.
  const hint = exec.installHint?.replaceAll(/[^\P{C}\s]/gu, '')
  return new UserError(`exec plugin ${exec.command}: ${why}`, { hint, cause: error })
}
