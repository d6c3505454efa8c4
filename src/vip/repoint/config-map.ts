import type { Rewrite } from '../kept.ts'
import type { ConfigMap } from '../objects.ts'
import { restored, sameTarget, type Target, targetOf, withTarget } from './kubeconfig.ts'

/** On a ConfigMap with a kubeconfig that we moved: which text it is, and how it was. */
const annotation = 'karmada-net.io/vip-repointed'

interface Kept {
  key: string
  before: string
}

/** Nothing where it leads there already. Pure. */
export function move(map: ConfigMap, key: string, target: Target): Rewrite | undefined {
  const text = map.data?.[key] ?? ''
  const now = targetOf(text)
  if (now === undefined || sameTarget(now, target)) return undefined
  const kept: Kept = { key, before: keptIn(map)?.before ?? text }
  return { data: { [key]: withTarget(text, target) }, annotations: { [annotation]: JSON.stringify(kept) } }
}

/** The text from before, which we go on keeping until `forget`; nothing where it is back, or was never moved. Pure. */
export function moveBack(map: ConfigMap): Rewrite | undefined {
  const kept = keptIn(map)
  const text = map.data?.[kept?.key ?? '']
  if (!kept || text === undefined) return undefined
  const back = restored(text, kept.before)
  return back === text ? undefined : { data: { [kept.key]: back }, annotations: {} }
}

/** Pure. */
export const forget = (map: ConfigMap): Rewrite | undefined =>
  keptIn(map) && { data: {}, annotations: { [annotation]: undefined } }

/** Where it led before we moved it; undefined: we did not. Pure. */
export const movedFrom = (map: ConfigMap): string | undefined => targetOf(keptIn(map)?.before ?? '')?.server

function keptIn({ metadata }: ConfigMap): Kept | undefined {
  const text = metadata.annotations?.[annotation]
  return text === undefined ? undefined : (JSON.parse(text) as Kept)
}
