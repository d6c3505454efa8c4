import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { UserError } from '../errors.ts'
import { pause } from '../kube/pause.ts'
import { canonicalHost, formatEndpoint, isPort } from './address.ts'
import { type Agent, startAgent } from './agent.ts'
import { createKnowledge, type Knowledge } from './knowledge.ts'
import { createLog, type Log } from './log.ts'
import { createIdentity } from './node/identity.ts'
import { readSysctls } from './node/proc.ts'
import { readBoot, stateFolder } from './node/state.ts'
import { nodeReport } from './node-report.ts'
import { serveStatus } from './serve.ts'
import type { VipSettings } from './settings.ts'
import { createVerifier } from './verify/host.ts'

const account = '/var/run/secrets/kubernetes.io/serviceaccount'
/** Between two looks for settings, or for a port that somebody else has. Milliseconds. */
const againMs = 1000

const options = {
  settings: { type: 'string', default: '/etc/karmada-net/vip' },
  state: { type: 'string', default: stateFolder },
  ca: { type: 'string', default: `${account}/ca.crt` },
  token: { type: 'string', default: `${account}/token` },
  node: { type: 'string' },
  'node-ip': { type: 'string', multiple: true },
} as const

/**
 * `run`: keeps the virtual IP of this node until a signal comes. In a pod it needs no flags; NODE_NAME and NODE_IPS (comma-separated)
 * come from the environment. Throws `UserError` for flags that cannot be used.
 */
export async function runCommand(args: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const { values } = parseArgs({ args, options })
  const log = createLog(line => process.stdout.write(line))
  const nodeIps = addresses(values['node-ip'] ?? env['NODE_IPS']?.split(',') ?? [])
  const readMounted = () => read(join(values.settings, 'settings.json'))
  const knowledge = createKnowledge(values.state)
  const settings = await firstSettings(knowledge, readMounted, values.settings, log, signal)
  const started = new Date().toISOString()
  const identity = createIdentity({ caFile: values.ca, tokenFile: values.token })
  const agent = startAgent(settings, {
    nodeIps,
    knowledge,
    identity,
    readMounted,
    firstServer: firstServer(env),
    log,
    signal,
  })
  const report = () => {
    const facts = { settings: agent.settings(), view: agent.view(), discovery: knowledge.discovery() }
    const node = values.node ?? env['NODE_NAME'] ?? ''
    return nodeReport({ ...facts, node, started, sysctls: readSysctls(), boot: readBoot(values.state) })
  }
  const sinceLookMs = () => performance.now() - agent.view().lookedMs
  const { settings: used, view } = agent
  const verify = createVerifier({
    settings: used,
    verdicts: () => view().verdicts,
    secureContext: identity.secureContext,
  })
  void serveAlways(agent, nodeIps[0], { report, sinceLookMs, verify }, log, signal)
  await agent.ended
  return 'the virtual server stays as it is'
}

/** What was mounted or remembered; without either it waits. */
async function firstSettings(
  knowledge: Knowledge,
  readMounted: () => string | undefined,
  folder: string,
  log: Log,
  signal: AbortSignal,
): Promise<VipSettings> {
  for (;;) {
    // Those of the last run first: whoever has others now lets go of what those made.
    const remembered = knowledge.settings()
    if (remembered) return remembered
    const { error } = knowledge.mounted(readMounted(), false)
    const settings = knowledge.settings()
    if (settings) return settings
    log.state('settings', error ?? `there are none in ${folder}/settings.json`)
    await pause(againMs, signal)
  }
}

/** The status port, also after it has become another one. */
async function serveAlways(
  agent: Agent,
  host: string | undefined,
  source: Parameters<typeof serveStatus>[2],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let serving: { port: number; server: Server } | undefined
  while (!signal.aborted) {
    const port = agent.settings().statusPort
    if (serving?.port !== port) {
      serving?.server.close()
      serving = undefined
      try {
        serving = { port, server: await serveStatus(host, port, source) }
        log.state('status port', undefined)
      } catch (error) {
        log.state('status port', (error as Error).message)
      }
    }
    await pause(againMs, signal).catch(() => undefined)
  }
  serving?.server.close()
}

function addresses(given: readonly string[]): string[] {
  return given.map(text => {
    const host = canonicalHost(text.trim())
    if (host === undefined) throw new UserError(`not an IP address of the node: ${text}`)
    return host
  })
}

/** What kubelet tells every pod: good for the very first question of a node that knows nobody. */
function firstServer(env: NodeJS.ProcessEnv): string | undefined {
  const host = canonicalHost(env['KUBERNETES_SERVICE_HOST'] ?? '')
  const port = Number(env['KUBERNETES_SERVICE_PORT'])
  return host !== undefined && isPort(port) ? formatEndpoint({ host, port }) : undefined
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
