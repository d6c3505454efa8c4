import type { Rewrite } from '../kept.ts'
import type { ConfigMap } from '../objects.ts'
import { exclusionOf, modeOf, networkOf, withExclusion, withoutExclusion } from './config.ts'
import type { ProxyConfigMap } from './find.ts'

/** On kube-proxy's ConfigMap: that the network was added by us, and the text from before. */
const annotation = 'karmada-net.io/vip-excluded'

interface Kept {
  network: string
  before: string
}

/** Nothing where there is nothing to do. Pure. */
export function exclude({ key, text }: ProxyConfigMap, vip: string): Rewrite | undefined {
  if (modeOf(text) !== 'ipvs' || exclusionOf(text, vip) !== undefined) return undefined
  const network = networkOf(vip)
  const kept: Kept = { network, before: text }
  return { data: { [key]: withExclusion(text, network) }, annotations: { [annotation]: JSON.stringify(kept) } }
}

/** What we added goes, byte for byte where nobody else changed it since; nothing where we added nothing. Pure. */
export function include({ map, key, text }: ProxyConfigMap): Rewrite | undefined {
  const kept = keptIn(map)
  if (!kept) return undefined
  const untouched = withExclusion(kept.before, kept.network) === text
  const restored = untouched ? kept.before : withoutExclusion(text, kept.network)
  return { data: { [key]: restored }, annotations: { [annotation]: undefined } }
}

/** What we added. Pure. */
export const addedIn = (map: ConfigMap): string | undefined => keptIn(map)?.network

function keptIn({ metadata }: ConfigMap): Kept | undefined {
  const text = metadata.annotations?.[annotation]
  return text === undefined ? undefined : (JSON.parse(text) as Kept)
}
