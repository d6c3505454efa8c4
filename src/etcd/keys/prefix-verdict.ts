import { counted } from '../../counted.ts'
/** What is known of a prefix that a new consumer wants. */
export interface PrefixFacts {
  /** As `normalPrefix` made it. */
  prefix: string
  /** Keys that begin with `PREFIX/`. */
  keysBelow: number
  /** One of them. */
  example?: string | undefined
  /** Shorter prefixes, of which this one is a part, that an API server uses: `/registry` of `/registry/karmada`. */
  usedAbove: readonly string[]
}

export type PrefixVerdict = { free: true } | { free: false; why: string; hint: string }

/** `/registry/` is `/registry`: API servers put the slash themselves. Undefined: no prefix at all. */
export function normalPrefix(text: string): string | undefined {
  const prefix = text.replace(/\/+$/, '')
  return /^(\/[^/\s]+)+$/.test(prefix) ? prefix : undefined
}

/** `/a` and `/a/b` of `/a/b/c`. */
export function prefixesAbove(prefix: string): string[] {
  const words = prefix.split('/')
  return words.slice(2).map((_, index) => words.slice(0, index + 2).join('/'))
}

/**
 * May a new control plane get this prefix? Two that share one, or of which one's lies in the other's, write over each other
 * (karmada#6620: a host's own Service "kubernetes" was replaced). Pure.
 */
export function prefixVerdict({ prefix, keysBelow, example, usedAbove }: PrefixFacts): PrefixVerdict {
  const [above] = usedAbove
  if (above !== undefined) {
    return {
      free: false,
      why: `${prefix} lies in ${above}, which an API server uses`,
      hint: `choose one beside it, such as /${prefix.slice(1).replaceAll('/', '-')}; who uses what: kubectl karmada-net etcd keys`,
    }
  }
  if (keysBelow === 0) return { free: true }
  const such = example === undefined ? '' : `, such as ${example}`
  return {
    free: false,
    why: `${prefix} is in use: ${counted(keysBelow, 'key')}${such}`,
    hint: `choose another, such as ${prefix}-2; what is there: kubectl karmada-net etcd keys ${prefix}`,
  }
}
