import { load } from 'js-yaml'
import type { CheckResult } from '../../checks/check.ts'
import { isInside } from '../address.ts'

/** As far as it matters here: what kube-proxy may do to a virtual server that is not its own. */
interface KubeProxyConfig {
  mode?: string
  ipvs?: { excludeCIDRs?: string[] | null }
}

/** Judges kube-proxy's settings as kubeadm keeps them, key `config.conf`. Pure. */
export function judgeKubeProxy(text: string | undefined, vip: string): CheckResult {
  if (text === undefined) return { ok: true, detail: 'no ConfigMap kube-system/kube-proxy: its mode is not known' }
  const { mode, ipvs } = read(text)
  if (mode !== 'ipvs') {
    const flushes = mode === 'nftables' ? ', empties the table when it starts: the agent mends that at once' : ''
    return { ok: true, detail: `mode ${mode || 'iptables (default)'}${flushes}` }
  }
  const excluded = (ipvs?.excludeCIDRs ?? []).find(network => isInside(vip, network))
  if (excluded !== undefined) return { ok: true, detail: `mode ipvs, leaves ${excluded} alone` }
  const network = `${vip}/${vip.includes(':') ? 128 : 32}`
  return {
    ok: false,
    detail: `mode ipvs without ${network} in excludeCIDRs: it removes the virtual server every 30 s`,
    hint: `kubectl -n kube-system edit configmap kube-proxy   # ipvs: {excludeCIDRs: [${network}]}
kubectl -n kube-system rollout restart daemonset kube-proxy`,
  }
}

function read(text: string): KubeProxyConfig {
  try {
    return (load(text) ?? {}) as KubeProxyConfig
  } catch {
    return {}
  }
}
