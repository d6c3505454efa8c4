import { request } from 'node:http'

/** Where kube-proxy serves what it says of itself on every node, unless told otherwise. */
const metrics = { host: '127.0.0.1', port: 10_249 }

/** How the kube-proxy of a node runs, whatever started it. */
export interface ProxyNews {
  /** `iptables` where it chose itself. */
  mode: string
  excludeCIDRs: string[]
}

/** By its own word; undefined: none answers here. */
export const askKubeProxy = async (signal: AbortSignal, at = metrics): Promise<ProxyNews | undefined> =>
  newsOf(await ask('/configz', signal, at))

/** The answer of /configz, with its fields as the program itself calls them. Pure. */
export function newsOf(text: string): ProxyNews | undefined {
  try {
    const all = JSON.parse(text) as Record<string, { Mode?: string; IPVS?: { ExcludeCIDRs?: string[] | null } }>
    const config = all['kubeproxy.config.k8s.io']
    return config && { mode: config.Mode || 'iptables', excludeCIDRs: config.IPVS?.ExcludeCIDRs ?? [] }
  } catch {
    return undefined
  }
}

/** Empty where nobody answers. */
export function ask(path: string, signal: AbortSignal, at = metrics): Promise<string> {
  return new Promise(resolve => {
    const outgoing = request({ ...at, path, signal, timeout: 2000, agent: false }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('close', () => resolve(Buffer.concat(chunks).toString()))
    })
    outgoing.once('timeout', () => outgoing.destroy())
    outgoing.once('error', () => resolve(''))
    outgoing.end()
  })
}
