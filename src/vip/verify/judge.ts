import type { CheckResult } from '../../checks/check.ts'
import { counted } from '../../counted.ts'
import type { NodeReport, ServerReport } from '../report.ts'
import { few } from '../up/objections.ts'
import type { HostPassages, Passage, SeenCertificate } from './report.ts'

/**
 * Connections from the node itself: none may fail, and every API server that should get connections must be there. Who is drained by now
 * may be gone. `report`: of the same node. Pure.
 */
export function judgeHost({ through, straight }: HostPassages, { scheduler, servers }: NodeScheduling): CheckResult {
  const failed = through.find(({ error }) => error !== undefined)
  const state = new Map(servers.map(({ address, state }) => [address, state]))
  const isDrained = ({ server = '' }: Passage) => /^drain/.test(state.get(server) ?? '')
  const missed = straight.filter(passage => !isDrained(passage))
  const lost = missed.filter(({ error }) => error !== undefined)
  const reached = [...byServer(through)].map(([server, { tookMs }]) => `${server} ${ms(tookMs)}`)
  if (failed)
    return { ok: false, detail: `${failuresOf(through)} of ${counted(through.length, 'connection')}: ${failed.error}` }
  if (lost.length > 0)
    return { ok: false, detail: few(lost.map(({ server, error }) => `${server} does not answer: ${error}`)) }
  if (reached.length === 0) return { ok: false, detail: 'no API server takes connections' }
  const notLed = (passages: Passage[], why: string) =>
    passages.length === 0 ? [] : [`not led to ${few(passages.map(({ server }) => server ?? ''))}, which ${why}`]
  const rest = [
    ...notLed(missed, `answers${whyNotLed[scheduler] ?? ''}`),
    ...notLed(straight.filter(isDrained), 'takes no new connections'),
  ]
  return { ok: true, detail: [...reached, ...rest].join(', ') }
}

type NodeScheduling = Pick<NodeReport, 'scheduler'> & { servers: Pick<ServerReport, 'address' | 'state'>[] }

/** Why a scheduler may lead none of many connections to a server that is up; rr takes turns, and others' connections count. */
const whyNotLed: Record<string, string> = {
  lc: ' and has more connections',
  wlc: ' and has more connections',
  mh: ': mh leads all connections of one address to the same API server',
}

/** Connections from a pod: which API server it was is told by its certificate, where each has its own. Pure. */
export function judgePod(passages: readonly Passage[], known: ReadonlyMap<string, string>): CheckResult {
  const failed = passages.find(({ error }) => error !== undefined)
  const all = counted(passages.length, 'connection')
  if (failed) {
    const hint = 'connections of pods may be dropped on their way: look for a NetworkPolicy or a firewall of the node'
    return { ok: false, detail: `${failuresOf(passages)} of ${all}: ${failed.error}`, hint }
  }
  const servers = new Set(passages.flatMap(({ certificate }) => known.get(certificate?.fingerprint ?? '') ?? []))
  const slowest = Math.max(...passages.map(({ tookMs = 0 }) => tookMs))
  return {
    ok: true,
    detail: `${all}, up to ${ms(slowest)}${servers.size > 0 ? `, to ${few([...servers].sort())}` : ''}`,
  }
}

/** What API servers show through the virtual IP. `name`: of the settings. Pure. */
export function judgeCertificates(passages: readonly Passage[], vip: string, name: string): CheckResult {
  const shown = passages.flatMap(({ server, certificate }) => (certificate ? [{ server, certificate }] : []))
  const whose = (test: (certificate: SeenCertificate) => boolean) => [
    ...new Set(shown.filter(({ certificate }) => test(certificate)).map(({ server }) => server ?? 'an API server')),
  ]
  const distrusted = shown.find(({ certificate }) => certificate.distrusted !== undefined)
  if (shown.length === 0) return { ok: false, detail: 'none was seen' }
  if (distrusted)
    return { ok: false, detail: `of ${distrusted.server ?? 'an API server'}: ${distrusted.certificate.distrusted}` }
  const nameless = whose(({ forName }) => !forName)
  if (nameless.length > 0) return { ok: false, detail: `not for ${name}: ${few(nameless)}` }
  const until = shown.map(({ certificate }) => certificate.validTo).sort()[0] ?? ''
  const without = whose(({ forVip }) => !forVip)
  const names = without.length === 0 ? vip : `${name}, not for ${vip}: clients need "tls-server-name: ${name}"`
  return { ok: true, detail: `until ${until.slice(0, 10)}, for ${names}` }
}

/** Which API server has which certificate, by fingerprint; those that share one cannot be told apart. Pure. */
export function byFingerprint(passages: readonly Passage[]): Map<string, string> {
  const known = new Map<string, string>()
  const shared = new Set<string>()
  for (const { server, certificate } of passages) {
    if (server === undefined || !certificate) continue
    const before = known.get(certificate.fingerprint)
    if (before !== undefined && before !== server) shared.add(certificate.fingerprint)
    known.set(certificate.fingerprint, server)
  }
  for (const fingerprint of shared) known.delete(fingerprint)
  return known
}

/** The first answer of each. */
function byServer(passages: readonly Passage[]): Map<string, Passage> {
  const servers = new Map<string, Passage>()
  for (const passage of passages) {
    const server = passage.server ?? 'an API server'
    if (passage.error === undefined && !servers.has(server)) servers.set(server, passage)
  }
  return servers
}

const failuresOf = (passages: readonly Passage[]): number => passages.filter(({ error }) => error !== undefined).length

const ms = (value: number | undefined): string => `${Math.round(value ?? 0)} ms`
