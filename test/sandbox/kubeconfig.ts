import { dump, load } from 'js-yaml'

/** Credentials for one API server. PEM text. */
export interface Access {
  server: string
  ca: string
  certificate: string
  key: string
}

interface KubeconfigFile {
  clusters: { name: string; cluster: Record<string, unknown> }[]
  users: { name: string; user: Record<string, unknown> }[]
  contexts: { name: string; context: Record<string, unknown> }[]
  'current-context'?: string
}

/** A kubeconfig of several contexts, each named as its key; the first is the current one. Pure. */
export function kubeconfig(entries: Record<string, Access>): string {
  const names = Object.keys(entries)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: Object.entries(entries).map(([name, { server, ca }]) => ({
      name,
      cluster: { server, 'certificate-authority-data': base64(ca) },
    })),
    users: Object.entries(entries).map(([name, { certificate, key }]) => ({
      name,
      user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) },
    })),
    contexts: names.map(name => ({ name, context: { cluster: name, user: name } })),
    'current-context': names[0] ?? '',
  })
}

/** The credentials of a context (default: the current one). Throws when the text has no such context with embedded certificates. */
export function accessOf(text: string, context?: string): Access {
  const file = load(text) as KubeconfigFile
  const wanted = context ?? file['current-context']
  const found = file.contexts.find(({ name }) => name === wanted)?.context
  const cluster = file.clusters.find(({ name }) => name === found?.['cluster'])?.cluster
  const user = file.users.find(({ name }) => name === found?.['user'])?.user
  const decoded = (value: unknown, what: string): string => {
    if (typeof value !== 'string') throw new Error(`context ${wanted} has no ${what} in the kubeconfig`)
    return Buffer.from(value, 'base64').toString()
  }
  return {
    server: String(cluster?.['server'] ?? ''),
    ca: decoded(cluster?.['certificate-authority-data'], 'certificate-authority-data'),
    certificate: decoded(user?.['client-certificate-data'], 'client-certificate-data'),
    key: decoded(user?.['client-key-data'], 'client-key-data'),
  }
}

export const contextNames = (text: string): string[] => (load(text) as KubeconfigFile).contexts.map(({ name }) => name)
