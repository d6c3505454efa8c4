import { readFile } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { createEtcdClient } from './client/gateway.ts'
import type { ClientIdentity } from './client/types.ts'
import type { MemberSpec } from './cluster.ts'
import type { Reachable } from './world.ts'

export interface Endpoints {
  /** What its snapshots are called after. */
  name: string
  /** `https://10.0.0.1:2379`, with commas between them. */
  endpoints: string
  caFile?: string | undefined
  certFile?: string | undefined
  keyFile?: string | undefined
  signal: AbortSignal
  /** Milliseconds of any one wait. */
  timeoutMs: number
}

/** Milliseconds that a member may take for one answer. */
const answerMs = 5000

/** A cluster that is named by its addresses alone: nothing needs to be remembered of it. Throws UserError for what is no address, and for files that cannot be read. */
export async function reachEndpoints({ name, endpoints, signal, timeoutMs, ...files }: Endpoints): Promise<Reachable> {
  const urls = endpoints.split(',').map(text => urlOf(text.trim()))
  const identity = await identityOf(files)
  const clients = new Map(
    urls.map(url => [url.host, createEtcdClient(url.origin, async () => identity, { timeoutMs: answerMs, signal })]),
  )
  const members = urls.map(
    ({ host, hostname }): MemberSpec => ({
      name: host,
      address: hostname,
      site: host,
      // Nobody asks what it runs in.
      driver: { kind: 'docker' },
    }),
  )
  return {
    state: { spec: { name, members, ports: { client: 2379, peer: 2380, metrics: 2381 } } },
    clientOf(member) {
      const client = clients.get(member.name)
      if (!client) throw new Error(`${member.name} is none of the endpoints`)
      return client
    },
    ...{ signal, timeoutMs, now: Date.now },
  }
}

function urlOf(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'https:' && url.pathname === '/' && url.username === '') {
    // The parser takes away the port that https has by itself.
    if (url.port === '' && !/:443\/?$/.test(text)) url.port = '2379'
    return url
  }
  throw new UserError(`"${text}" is no endpoint of etcd over TLS`, {
    hint: '--endpoints https://10.0.0.1:2379,https://10.0.1.1:2379',
  })
}

async function identityOf(files: Pick<Endpoints, 'caFile' | 'certFile' | 'keyFile'>): Promise<ClientIdentity> {
  const read = async (flag: string, path: string | undefined) => {
    if (path === undefined) throw new UserError(`--endpoints needs --${flag} beside it`)
    try {
      return await readFile(path, 'utf8')
    } catch (cause) {
      throw new UserError(`--${flag}: ${path} cannot be read`, { cause })
    }
  }
  const [ca, certificate, key] = await Promise.all([
    read('ca-file', files.caFile),
    read('cert-file', files.certFile),
    read('key-file', files.keyFile),
  ])
  return { ca, certificate, key }
}
