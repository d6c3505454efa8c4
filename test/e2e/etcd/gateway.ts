import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { ClientIdentity } from '../../../src/etcd/client/types.ts'

/** What the ledger needs of etcd: a client of its own, so that it does not judge the plugin's by itself. */
export interface Gateway {
  /** Answers the revision. */
  put(endpoint: string, key: string, value: string, timeoutMs: number): Promise<bigint>
  /** Linearizable: the first 2000 keys that begin with `prefix`, from `key` on. */
  range(endpoint: string, key: string, prefix: string, timeoutMs: number): Promise<Page>
  close(): void
}

interface Page {
  kvs: { key: string; value: string; revision: bigint }[]
  more: boolean
}

interface WireAnswer {
  header?: { revision?: string }
  kvs?: { key: string; value?: string; mod_revision: string }[]
  more?: boolean
  code?: number
  message?: string
}

/** `identity` is asked again, at most twice a second, after a call without an answer: certificates may have been rotated. */
export function createGateway(identity: () => Promise<ClientIdentity>): Gateway {
  let current: { text: string; agent: Agent } | undefined
  let reading: Promise<Agent> | undefined
  let readAt = 0

  const agentNow = (): Promise<Agent> => {
    reading ??= read()
    return reading
  }
  async function read(): Promise<Agent> {
    readAt = performance.now()
    const { ca, certificate, key } = await identity()
    const text = ca + certificate + key
    // The former agent's connections end by themselves.
    if (current?.text !== text) current = { text, agent: new Agent({ keepAlive: true, ca, cert: certificate, key }) }
    return current.agent
  }
  const doubt = () => {
    if (performance.now() - readAt > 500) reading = undefined
  }

  async function post(endpoint: string, path: string, body: object, timeoutMs: number): Promise<WireAnswer> {
    const agent = await agentNow()
    try {
      return await exchange(agent, new URL(path, endpoint), JSON.stringify(body), timeoutMs)
    } catch (error) {
      doubt()
      throw error
    }
  }

  return {
    async put(endpoint, key, value, timeoutMs) {
      const answer = await post(endpoint, '/v3/kv/put', { key: base64(key), value: base64(value) }, timeoutMs)
      if (!answer.header?.revision) throw new Error('an answer without a revision')
      return BigInt(answer.header.revision)
    },
    async range(endpoint, key, prefix, timeoutMs) {
      // Prefixes end in a slash; a zero is the character after it.
      const end = prefix.replace(/\/$/, '0')
      const body = { key: base64(key), range_end: base64(end), limit: '2000' }
      const { kvs = [], more = false } = await post(endpoint, '/v3/kv/range', body, timeoutMs)
      return {
        kvs: kvs.map(kv => ({ key: text(kv.key), value: text(kv.value), revision: BigInt(kv.mod_revision) })),
        more,
      }
    },
    close: () => current?.agent.destroy(),
  }
}

function exchange(agent: Agent, url: URL, body: string, timeoutMs: number): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const call = request(url, { agent, method: 'POST', headers }, answer => {
      read(answer).then(resolve, reject)
    })
    const timer = setTimeout(() => call.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    call.on('error', reject)
    call.on('close', () => clearTimeout(timer))
    call.end(body)
  })
}

async function read(answer: IncomingMessage): Promise<WireAnswer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  const said = Buffer.concat(chunks).toString()
  if (answer.statusCode === 200) return JSON.parse(said) as WireAnswer
  throw new Error(`${answer.statusCode} ${said.slice(0, 200)}`)
}

const base64 = (plain: string): string => Buffer.from(plain).toString('base64')
const text = (encoded = ''): string => Buffer.from(encoded, 'base64').toString()
