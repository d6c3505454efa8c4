import { UserError } from '../../errors.ts'
import { code, EtcdError } from '../client/errors.ts'
import { prefixEnd } from '../client/prefix.ts'
import type { CallLimits, EtcdClient, RangeQuery } from '../client/types.ts'
import type { SampledSizes } from './owners.ts'
import { normalPrefix, type PrefixFacts, prefixesAbove } from './prefix-verdict.ts'
import { count, newTally, type Tally } from './tally.ts'

interface ReadOptions extends CallLimits {
  /** Keys below this alone, by one word further than groups go. Without a slash at its end. */
  below?: string | undefined
  /** Answered by this member alone: also without quorum. */
  serializable: boolean
  progress?: ((keys: number) => void) | undefined
}

/** etcd walks over all that is left to count it, page after page: with many keys, larger pages. Their number bounds our memory. */
const fewestPerPage = 1000
const mostPerPage = 10_000
const pages = 16

/** Counts all keys, or those below a prefix. Pages through them, all at one revision, so that memory stays flat. */
export async function tallyKeys(client: EtcdClient, options: ReadOptions): Promise<{ tally: Tally; revision: bigint }> {
  const { below, progress, serializable, ...limits } = options
  const tally = newTally()
  let revision = 0n
  for (const { start, end } of rangesOf(below)) {
    let key = start
    let limit = fewestPerPage
    for (;;) {
      // What the first page was read at, this member has: no need to ask the others again.
      const alone = serializable || revision > 0n
      const query: RangeQuery = { key, rangeEnd: end, limit, keysOnly: true, serializable: alone }
      const page = await atRevision(client, query, revision, limits)
      revision ||= page.revision
      for (const kv of page.kvs) count(tally, kv.key, below)
      progress?.(tally.keys)
      const last = page.kvs.at(-1)
      if (!page.more || !last) break
      key = Buffer.concat([last.key, Buffer.from([0])])
      limit = Math.min(mostPerPage, Math.max(fewestPerPage, Math.ceil(page.count / pages)))
    }
  }
  return { tally, revision }
}

/** The first page decides the revision. One that is compacted away meanwhile is given up: the newest will do. */
async function atRevision(client: EtcdClient, query: RangeQuery, revision: bigint, limits: CallLimits) {
  try {
    return await client.range({ ...query, ...(revision > 0n && { revision }) }, limits)
  } catch (error) {
    if (revision === 0n || !(error instanceof EtcdError) || error.code !== code.outOfRange) throw error
    return client.range(query, limits)
  }
}

function rangesOf(below: string | undefined): { start: Buffer; end?: Buffer }[] {
  if (below === undefined) return [{ start: Buffer.from([0]), end: Buffer.from([0]) }]
  return [{ start: Buffer.from(below) }, { start: Buffer.from(`${below}/`), end: prefixEnd(`${below}/`) }]
}

/** Reads the sampled values, for their sizes. A key that is gone by now is no sample. */
export async function sampleSizes(
  client: EtcdClient,
  { groups }: Tally,
  { serializable, ...limits }: Pick<ReadOptions, 'serializable'> & CallLimits,
): Promise<SampledSizes> {
  const sizes = new Map<string, number[]>()
  const queue = [...groups].flatMap(([group, { samples }]) => samples.map(key => ({ group, key })))
  const worker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const { kvs } = await client.range({ key: next.key, serializable }, limits)
      const found = kvs.map(({ value }) => value.length)
      sizes.set(next.group, [...(sizes.get(next.group) ?? []), ...found])
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return sizes
}

/** What `prefixVerdict` asks for. Throws UserError for what is no prefix. */
export async function lookAtPrefix(client: EtcdClient, text: string, limits: CallLimits = {}): Promise<PrefixFacts> {
  const prefix = normalPrefix(text)
  if (prefix === undefined) {
    throw new UserError(`"${text}" is no prefix for an API server`, {
      hint: 'it begins with a slash: /registry/karmada',
    })
  }
  const countBelow = async (path: string) =>
    client.range({ key: `${path}/`, rangeEnd: prefixEnd(`${path}/`), limit: 1, keysOnly: true }, limits)
  const [own, ...above] = await Promise.all([
    countBelow(prefix),
    ...prefixesAbove(prefix).map(async path => ({ path, used: await isRoot(path) })),
  ])
  async function isRoot(path: string): Promise<boolean> {
    const answers = await Promise.all(
      ['namespaces', 'masterleases', 'ranges'].map(word => countBelow(`${path}/${word}`)),
    )
    return answers.some(answer => answer.count > 0)
  }
  return {
    prefix,
    keysBelow: own.count,
    example: own.kvs[0]?.key.toString('utf8'),
    usedAbove: above.filter(({ used }) => used).map(({ path }) => path),
  }
}
