import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'

/**
 * Requests to the virtual IP, each on a new connection and as many on one that is kept, until a file comes into being; then what
 * became of them. Runs in a virtual machine.
 */
export interface ClientConfig {
  host: string
  port: number
  authority: string
  everyMs: number
  until: string
  /** A file that comes into being when the first few requests on new connections were answered. */
  begun: string
}

export interface Tally {
  fresh: Count
  kept: Count
}

export interface Count {
  ok: number
  errors: string[]
  longestMs: number
  servers: Record<string, number>
}

const config = JSON.parse(readFileSync(0, 'utf8')) as ClientConfig
const none = (): Count => ({ ok: 0, errors: [], longestMs: 0, servers: {} })
const tally: Tally = { fresh: none(), kept: none() }
const keepAlive = new Agent({ keepAlive: true, maxSockets: 1, ca: config.authority })

function ask(count: Count, agent: Agent | false): Promise<void> {
  const startedMs = performance.now()
  const { host, port, authority: ca } = config
  return new Promise(resolve => {
    const settle = (error?: NodeJS.ErrnoException) => {
      count.longestMs = Math.max(count.longestMs, Math.round(performance.now() - startedMs))
      if (error) count.errors.push(error.code ?? error.message)
      resolve()
    }
    const options = { host, port, ca, servername: 'kubernetes', path: '/', agent, timeout: 30_000 }
    const outgoing = request(options, answer => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const server = Buffer.concat(chunks).toString()
        count.servers[server] = (count.servers[server] ?? 0) + 1
        count.ok++
        settle()
      })
      answer.on('error', settle)
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')))
    outgoing.once('error', settle)
    outgoing.end()
  })
}

const under: Promise<void>[] = []
let kept: Promise<void> | undefined
while (!existsSync(config.until)) {
  if (tally.fresh.ok >= 6) writeFileSync(config.begun, '')
  under.push(ask(tally.fresh, false))
  kept ??= ask(tally.kept, keepAlive).finally(() => {
    kept = undefined
  })
  await new Promise(resolve => setTimeout(resolve, config.everyMs))
}
await Promise.all([...under, kept])
process.stdout.write(JSON.stringify(tally))
process.exit(0)
