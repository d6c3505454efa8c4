/** One of Prometheus' histograms, from its text format. */
export interface Histogram {
  /** Ascending; the last is +Inf. `count`: observations up to `le`. */
  buckets: { le: number; count: number }[]
  count: number
}

/** Undefined where the text has no such histogram. Labels beside `le` are not told apart: etcd has none on those we ask for. Pure. */
export function histogramIn(metrics: string, name: string): Histogram | undefined {
  const buckets = metrics
    .split('\n')
    .filter(line => line.startsWith(`${name}_bucket{`))
    .flatMap(line => {
      const [, le, count] = /le="([^"]+)"[^}]*\}\s+(\S+)/.exec(line) ?? []
      return le === undefined
        ? []
        : [{ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: Number(count) }]
    })
    .sort((a, b) => a.le - b.le)
  const last = buckets.at(-1)
  return last && { buckets, count: last.count }
}

/** The value that this share (0 to 1) of all observations did not exceed, reckoned within its bucket; undefined without any. Pure. */
export function quantile({ buckets, count }: Histogram, share: number): number | undefined {
  if (count === 0) return undefined
  const wanted = count * share
  const at = buckets.findIndex(bucket => bucket.count >= wanted)
  const bucket = buckets[at]
  const below = buckets[at - 1] ?? { le: 0, count: 0 }
  if (!bucket) return undefined
  if (bucket.le === Number.POSITIVE_INFINITY) return below.le
  const inBucket = bucket.count - below.count
  return below.le + (bucket.le - below.le) * (inBucket === 0 ? 1 : (wanted - below.count) / inBucket)
}
