import { isDeepStrictEqual } from 'node:util'
import { dump, load } from 'js-yaml'
import { familyOf, isInside } from '../address.ts'

/** As far as it matters here: what kube-proxy may do to a virtual server that is not its own. */
interface ProxyConfig extends Record<string, unknown> {
  mode?: string
  ipvs?: { excludeCIDRs?: string[] | null } | null
  clientConnection?: { kubeconfig?: string } | null
}

/** The network that kube-proxy is to leave alone: of this address and no other. */
export const networkOf = (vip: string): string => `${vip}/${familyOf(vip) === 'ipv6' ? 128 : 32}`

/** `iptables` where it is not said, as on Linux. Pure. */
export const modeOf = (text: string): string => read(text).mode || 'iptables'

/** The path of its kubeconfig. Pure. */
export const kubeconfigOf = (text: string): string | undefined => read(text).clientConnection?.kubeconfig

/** The network in `ipvs.excludeCIDRs` that the address lies in. Pure. */
export const exclusionOf = (text: string, vip: string): string | undefined =>
  excludedIn(read(text)).find(network => isInside(vip, network))

/** The same settings with the network in `ipvs.excludeCIDRs`; the rest, comments and order included, stays where that can be. Pure. */
export function withExclusion(text: string, network: string): string {
  const config = read(text)
  const wanted = { ...config, ipvs: { ...config.ipvs, excludeCIDRs: [...excludedIn(config), network] } }
  return firstThatSays(wanted, insertions(text, JSON.stringify(network)))
}

/** The same settings without it. Pure. */
export function withoutExclusion(text: string, network: string): string {
  const config = read(text)
  const left = excludedIn(config).filter(one => one !== network)
  const wanted = { ...config, ipvs: { ...config.ipvs, excludeCIDRs: left } }
  const word = `["']?${network.replaceAll('.', '\\.')}["']?`
  const edits = [
    text.replace(new RegExp(`^[ ]*- +${word} *(#.*)?\n`, 'm'), ''),
    text.replace(new RegExp(` *, *${word}`), ''),
    text.replace(new RegExp(`${word} *,? *`), ''),
  ]
  return firstThatSays(wanted, edits)
}

/** One for each way in which settings are written; what does not fit yields something else, or the text as it was. */
function insertions(text: string, item: string): string[] {
  return [
    // excludeCIDRs: null
    text.replace(/^( +excludeCIDRs:) *(null|~|\[ *\])? *(#.*)?$/m, `$1 [${item}]$3`),
    // excludeCIDRs: [a, b], also within braces
    text.replace(/(excludeCIDRs["']?: *\[[^\]]*[^\]\s])( *\])/, `$1, ${item}$2`),
    // excludeCIDRs:
    // - a
    text.replace(/^( +excludeCIDRs:.*\n(?: *#.*\n)*)( *- +)/m, `$1$2${item}\n$2`),
    // ipvs:
    //   scheduler: ""
    text.replace(/^(ipvs:.*\n)((?: *#.*\n)*)( +)/m, `$1$2$3excludeCIDRs: [${item}]\n$3`),
    // ipvs: {scheduler: ""}
    text.replace(/^(ipvs: *\{) *(?=[^\s}])/m, `$1excludeCIDRs: [${item}], `),
    text.replace(/(excludeCIDRs["']?: *)(null|~|\[ *\])/, `$1[${item}]`),
    text.replace(/^ipvs: *(null|~|\{ *\})? *$/m, `ipvs:\n  excludeCIDRs: [${item}]`),
    `${text.replace(/\n*$/, '')}\nipvs:\n  excludeCIDRs: [${item}]${text.endsWith('\n') ? '\n' : ''}`,
  ]
}

/** Comments get lost only where none of them says what is wanted. */
const firstThatSays = (wanted: ProxyConfig, edits: readonly string[]): string =>
  edits.find(edit => isDeepStrictEqual(plain(read(edit)), plain(wanted))) ?? dump(wanted, { lineWidth: -1 })

/** None is none, however it is written. The order of networks says nothing. */
const plain = (config: ProxyConfig): unknown => ({
  ...config,
  ipvs: { ...config.ipvs, excludeCIDRs: excludedIn(config).toSorted() },
})

const excludedIn = ({ ipvs }: ProxyConfig): string[] => ipvs?.excludeCIDRs ?? []

function read(text: string): ProxyConfig {
  try {
    const value = load(text)
    return typeof value === 'object' && value !== null ? (value as ProxyConfig) : {}
  } catch {
    return {}
  }
}
