import type { CheckResult } from '../../checks/check.ts'
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
