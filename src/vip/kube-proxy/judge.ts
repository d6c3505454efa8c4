import type { CheckResult } from '../../checks/check.ts'
import { isInside } from '../address.ts'
import type { ProxyNews } from './ask.ts'
import { exclusionOf, modeOf, networkOf } from './config.ts'

/** Judges kube-proxy's settings by their text. Pure. */
export function judgeKubeProxy(text: string | undefined, vip: string): CheckResult {
  if (text === undefined) return { ok: true, detail: 'no ConfigMap kube-system/kube-proxy: its mode is not known' }
  const mode = modeOf(text)
  if (mode !== 'ipvs') {
    const flushes = mode === 'nftables' ? ', empties the table when it starts: the agent mends that at once' : ''
    return { ok: true, detail: `mode ${mode}${flushes}` }
  }
  const excluded = exclusionOf(text, vip)
  if (excluded !== undefined) return { ok: true, detail: `mode ipvs, leaves ${excluded} alone` }
  return {
    ok: false,
    detail: `mode ipvs without ${networkOf(vip)} in excludeCIDRs: it removes the virtual server every 30 s`,
    hint: 'kubectl karmada-net vip up adds it, and restarts kube-proxy node by node',
  }
}

/** Judges the one that runs on a node, whatever started it, by its own word. Pure. */
export function judgeRunning(news: ProxyNews | undefined, vip: string): CheckResult {
  if (news === undefined) return { ok: true, detail: 'none says how it runs (127.0.0.1:10249)' }
  const excluded = news.excludeCIDRs.find(network => isInside(vip, network))
  if (news.mode !== 'ipvs' || excluded !== undefined)
    return { ok: true, detail: `mode ${news.mode}${excluded === undefined ? '' : `, leaves ${excluded} alone`}` }
  return {
    ok: false,
    detail: `mode ipvs without ${networkOf(vip)} in excludeCIDRs: it removes the virtual server every 30 s`,
    hint: byHand(vip),
  }
}

/** Where no DaemonSet with a ConfigMap runs it. */
const byHand = (
  vip: string,
): string => `on the node, in the file of kube-proxy's --config, then restart it: ipvs: {excludeCIDRs: ["${networkOf(vip)}"]}
with flags alone: --ipvs-exclude-cidrs=${networkOf(vip)}   (k3s: --kube-proxy-arg=ipvs-exclude-cidrs=${networkOf(vip)})`
