import { dirname, isAbsolute, join } from 'node:path'
import { CORE_SCHEMA, loadAll, mergeTag } from 'js-yaml'
import { UserError } from '../errors.ts'

/** A `contexts` entry: which cluster, as which user, in which namespace. */
export interface KubeconfigContext {
  name: string
  cluster?: string | undefined
  user?: string | undefined
  namespace?: string | undefined
}

/** A `clusters` entry. File names are absolute, `...Data` is base64 as it stands in the file. */
export interface KubeconfigCluster {
  name: string
  server?: string | undefined
  tlsServerName?: string | undefined
  insecureSkipTlsVerify?: boolean | undefined
  certificateAuthority?: string | undefined
  certificateAuthorityData?: string | undefined
  proxyUrl?: string | undefined
  /** The extension `client.authentication.k8s.io/exec`, handed to an exec plugin as `spec.cluster.config`. */
  execConfig?: unknown
}

export interface ExecConfig {
  apiVersion: string
  /** Absolute where the file had a relative path; a bare name is looked up in PATH. */
  command: string
  args: string[]
  env: { name: string; value: string }[]
  installHint?: string | undefined
  provideClusterInfo: boolean
  interactiveMode?: string | undefined
}

/** A `users` entry. */
export interface KubeconfigUser {
  name: string
  clientCertificate?: string | undefined
  clientCertificateData?: string | undefined
  clientKey?: string | undefined
  clientKeyData?: string | undefined
  token?: string | undefined
  tokenFile?: string | undefined
  username?: string | undefined
  password?: string | undefined
  as?: string | undefined
  asUid?: string | undefined
  asGroups?: string[] | undefined
  asUserExtra?: Record<string, string[]> | undefined
  exec?: ExecConfig | undefined
  authProvider?: { name: string; config: Record<string, string> } | undefined
}

/** Every context, cluster and user of all files, by name, in the order of the files. */
export interface Kubeconfig {
  currentContext?: string | undefined
  contexts: ReadonlyMap<string, KubeconfigContext>
  clusters: ReadonlyMap<string, KubeconfigCluster>
  users: ReadonlyMap<string, KubeconfigUser>
}

/**
 * One file's text as data; relative file names become absolute against the folder of `file`.
 * Throws `UserError` naming the file when the text is not a kubeconfig.
 */
export function parseKubeconfig(text: string, file: string): Kubeconfig {
  const read = reader(file)
  const root = read.map(firstDocument(text, file), 'the file')
  return {
    currentContext: read.text(root['current-context'], 'current-context'),
    contexts: named(root, 'contexts', 'context', read, contextFrom),
    clusters: named(root, 'clusters', 'cluster', read, clusterFrom),
    users: named(root, 'users', 'user', read, userFrom),
  }
}

/** As kubectl merges files: the first to name a context, cluster, user or current-context wins, whole entries at a time. */
export function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  const merged = <T>(maps: ReadonlyMap<string, T>[]) => {
    const all = new Map<string, T>()
    for (const [name, entry] of maps.flatMap(map => [...map])) if (!all.has(name)) all.set(name, entry)
    return all
  }
  return {
    currentContext: files.map(file => file.currentContext).find(name => name !== undefined),
    contexts: merged(files.map(file => file.contexts)),
    clusters: merged(files.map(file => file.clusters)),
    users: merged(files.map(file => file.users)),
  }
}

type Mapping = Record<string, unknown>
type Reader = ReturnType<typeof reader>

function firstDocument(text: string, file: string): unknown {
  try {
    // `json` lets a repeated key through (the last counts), as kubectl does.
    return loadAll(text, { json: true, schema: CORE_SCHEMA.withTags(mergeTag) })[0]
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    // Without the cause: it quotes the lines around, which may hold a key.
    throw new UserError(`kubeconfig ${file} cannot be parsed: ${why}`)
  }
}

/** Typed access to what YAML gave; a wrong type is the user's error and names the file and the field. */
function reader(file: string) {
  const wrong = (where: string, wanted: string) => new UserError(`kubeconfig ${file}: ${where} is not ${wanted}`)
  const folder = dirname(file)
  const text = (value: unknown, where: string): string | undefined => {
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string') return value
    throw wrong(where, typeof value === 'object' ? 'a string' : 'a string: put it in quotes')
  }
  return {
    text,
    path: (value: unknown, where: string) => {
      const path = text(value, where)
      return path === undefined || isAbsolute(path) ? path : join(folder, path)
    },
    flag: (value: unknown, where: string): boolean | undefined => {
      if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined
      if (/^(true|yes|on|y)$/i.test(String(value))) return true
      if (/^(false|no|off|n)$/i.test(String(value))) return false
      throw wrong(where, 'true or false')
    },
    map: (value: unknown, where: string): Mapping => {
      if (value === undefined || value === null) return {}
      if (typeof value === 'object' && !Array.isArray(value)) return value as Mapping
      throw wrong(where, 'a map')
    },
    list: (value: unknown, where: string): unknown[] => {
      if (value === undefined || value === null) return []
      if (Array.isArray(value)) return value
      throw wrong(where, 'a list')
    },
    wrong,
  }
}

/** The lists of `{name, <field>: {...}}` that a kubeconfig is made of. */
function named<T extends { name: string }>(
  root: Mapping,
  list: string,
  field: string,
  read: Reader,
  from: (entry: Mapping, where: string, read: Reader) => Omit<T, 'name'>,
): Map<string, T> {
  const entries = new Map<string, T>()
  read.list(root[list], list).forEach((item, index) => {
    const entry = read.map(item, `${list}[${index}]`)
    const name = read.text(entry['name'], `${list}[${index}].name`) ?? ''
    if (entries.has(name)) throw read.wrong(`${list}: "${name}"`, 'unique in the list')
    const body = from(read.map(entry[field], `${list}[${index}].${field}`), `${list}[${index}].${field}`, read)
    entries.set(name, { name, ...body } as T)
  })
  return entries
}

function contextFrom(entry: Mapping, where: string, read: Reader): Omit<KubeconfigContext, 'name'> {
  return {
    cluster: read.text(entry['cluster'], `${where}.cluster`),
    user: read.text(entry['user'], `${where}.user`),
    namespace: read.text(entry['namespace'], `${where}.namespace`),
  }
}

function clusterFrom(entry: Mapping, where: string, read: Reader): Omit<KubeconfigCluster, 'name'> {
  const text = (key: string) => read.text(entry[key], `${where}.${key}`)
  const extensions = read.list(entry['extensions'], `${where}.extensions`).map(item => read.map(item, 'extensions'))
  return {
    server: text('server'),
    tlsServerName: text('tls-server-name'),
    insecureSkipTlsVerify: read.flag(entry['insecure-skip-tls-verify'], `${where}.insecure-skip-tls-verify`),
    certificateAuthority: read.path(entry['certificate-authority'], `${where}.certificate-authority`),
    certificateAuthorityData: text('certificate-authority-data'),
    proxyUrl: text('proxy-url'),
    execConfig: extensions.find(item => item['name'] === 'client.authentication.k8s.io/exec')?.['extension'],
  }
}

function userFrom(entry: Mapping, where: string, read: Reader): Omit<KubeconfigUser, 'name'> {
  const text = (key: string) => read.text(entry[key], `${where}.${key}`)
  const path = (key: string) => read.path(entry[key], `${where}.${key}`)
  const texts = (value: unknown, of: string) => read.list(value, of).map(item => read.text(item, of) ?? '')
  const extra = Object.entries(read.map(entry['as-user-extra'], `${where}.as-user-extra`))
  return {
    clientCertificate: path('client-certificate'),
    clientCertificateData: text('client-certificate-data'),
    clientKey: path('client-key'),
    clientKeyData: text('client-key-data'),
    token: text('token'),
    tokenFile: path('tokenFile'),
    username: text('username'),
    password: text('password'),
    as: text('as'),
    asUid: text('as-uid'),
    asGroups: entry['as-groups'] ? texts(entry['as-groups'], `${where}.as-groups`) : undefined,
    asUserExtra: extra.length
      ? Object.fromEntries(extra.map(([key, values]) => [key, texts(values, `${where}.as-user-extra.${key}`)]))
      : undefined,
    exec: entry['exec'] ? execFrom(read.map(entry['exec'], `${where}.exec`), `${where}.exec`, read) : undefined,
    authProvider: entry['auth-provider']
      ? authProviderFrom(read.map(entry['auth-provider'], `${where}.auth-provider`), where, read)
      : undefined,
  }
}

function execFrom(entry: Mapping, where: string, read: Reader): ExecConfig {
  const command = read.text(entry['command'], `${where}.command`) ?? ''
  return {
    apiVersion: read.text(entry['apiVersion'], `${where}.apiVersion`) ?? '',
    // A bare name is for PATH; `./cmd` and `bin/cmd` stand beside the kubeconfig.
    command: /[/\\]/.test(command) ? (read.path(command, `${where}.command`) ?? '') : command,
    args: read.list(entry['args'], `${where}.args`).map(item => read.text(item, `${where}.args`) ?? ''),
    env: read.list(entry['env'], `${where}.env`).map(item => {
      const variable = read.map(item, `${where}.env`)
      const value = read.text(variable['value'], `${where}.env`) ?? ''
      return { name: read.text(variable['name'], `${where}.env`) ?? '', value }
    }),
    installHint: read.text(entry['installHint'], `${where}.installHint`),
    provideClusterInfo: read.flag(entry['provideClusterInfo'], `${where}.provideClusterInfo`) ?? false,
    interactiveMode: read.text(entry['interactiveMode'], `${where}.interactiveMode`),
  }
}

function authProviderFrom(entry: Mapping, where: string, read: Reader) {
  const config = Object.entries(read.map(entry['config'], `${where}.auth-provider.config`))
  return {
    name: read.text(entry['name'], `${where}.auth-provider.name`) ?? '',
    config: Object.fromEntries(config.map(([key, value]) => [key, read.text(value, key) ?? ''])),
  }
}
