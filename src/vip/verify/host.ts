import { readFileSync } from 'node:fs'
import type { SecureContext } from 'node:tls'
import { formatEndpoint, parseEndpoint } from '../address.ts'
import { askKubeProxy } from '../kube-proxy/ask.ts'
import type { Verdict } from '../servers.ts'
import type { VipSettings } from '../settings.ts'
import { ledTo } from './connections.ts'
import { type OpenPassage, openPassage } from './passage.ts'
import type { HostPassages } from './report.ts'

/** Where others have many more connections than one, the scheduler leads no new ones to them: then that many are enough. */
const most = 32
/** Of connections in a row that fail: the next would, too. */
const hopeless = 3
/** An answer is good for this long: whoever asks often is told the same. Milliseconds. */
const freshMs = 3000
/** For kube-proxy to say how it runs. Milliseconds. */
const kubeProxyMs = 3000

export interface VerifierOptions {
  settings(): VipSettings
  verdicts(): readonly Verdict[]
  secureContext(): SecureContext | undefined
}

/** What `GET /verify` answers: connections through the virtual IP from this node, one run at a time. */
export function createVerifier(options: VerifierOptions): () => Promise<HostPassages> {
  let last: { endedMs: number; answer: Promise<HostPassages> } | undefined
  return () => {
    if (last && performance.now() - last.endedMs < freshMs) return last.answer
    const run = { endedMs: Number.POSITIVE_INFINITY, answer: verify(options) }
    run.answer.finally(() => {
      run.endedMs = performance.now()
    })
    last = run
    return run.answer
  }
}

async function verify({ settings, verdicts, secureContext }: VerifierOptions): Promise<HostPassages> {
  const { vip, port, tlsServerName } = settings()
  const target = { host: vip, port }
  const options = { vip, serverName: tlsServerName, secureContext: secureContext() }
  const missing = new Set(verdicts().flatMap(({ address, weight }) => (weight > 0 ? [address] : [])))
  const open: OpenPassage[] = []
  let failures = 0
  try {
    while (missing.size > 0 && open.length < most && failures < hopeless) {
      const one = await openPassage(target, options)
      open.push(one)
      const server = one.localPort === undefined ? undefined : ledTo(connections(), target, one.localPort)
      if (server !== undefined) one.passage.server = server
      failures = one.passage.error === undefined ? 0 : failures + 1
      if (one.passage.error === undefined) missing.delete(server ?? formatEndpoint(target))
    }
  } finally {
    for (const { close } of open) close()
  }
  const straight = [...missing].map(async server => {
    const { passage, close } = await openPassage(parseEndpoint(server) ?? target, options)
    close()
    return { ...passage, server }
  })
  const kubeProxy = await askKubeProxy(AbortSignal.timeout(kubeProxyMs))
  return {
    through: open.map(({ passage }) => passage),
    straight: await Promise.all(straight),
    ...(kubeProxy && { kubeProxy }),
  }
}

function connections(): string {
  try {
    return readFileSync('/proc/net/ip_vs_conn', 'latin1')
  } catch {
    return ''
  }
}
