import { pause } from '../../kube/pause.ts'
import { ask } from '../kube-proxy/ask.ts'

/** A kube-proxy that flushes does so before it serves anything. Milliseconds. */
const lookForMs = 30_000
const lookEveryMs = 2000
/** So close to each other they belong together. */
const togetherMs = 30_000

/**
 * Who may have removed our virtual server: kube-proxy in nftables mode empties the whole table when it starts, and in ipvs mode it
 * removes what no Service stands for. Nothing where neither can be told.
 */
export async function suspectOf(atMs: number, othersLeft: number, signal: AbortSignal): Promise<string | undefined> {
  const until = performance.now() + lookForMs
  while (performance.now() < until && !signal.aborted) {
    const startedMs = startTime(await ask('/metrics', signal))
    const suspect = startedMs === undefined ? undefined : explain(atMs, othersLeft, startedMs)
    if (suspect !== undefined || (startedMs !== undefined && startedMs < atMs - togetherMs)) return suspect
    await pause(lookEveryMs, signal).catch(() => undefined)
  }
  return othersLeft > 0 ? ourselvesAlone : undefined
}

const ourselvesAlone = 'only this virtual server was removed: kube-proxy in ipvs mode without it in excludeCIDRs?'

/** Pure. */
export function explain(atMs: number, othersLeft: number, kubeProxyStartedMs: number): string | undefined {
  if (Math.abs(atMs - kubeProxyStartedMs) <= togetherMs) return 'kube-proxy restarted'
  return othersLeft > 0 ? ourselvesAlone : undefined
}

/** `process_start_time_seconds` in milliseconds. Pure. */
export function startTime(text: string): number | undefined {
  const [, seconds] = /^process_start_time_seconds (\S+)$/m.exec(text) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
