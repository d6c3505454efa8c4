/**
 * Reads a bbolt file, the format of etcd's database: pages of one size, of which two hold the metadata, and B+ trees of buckets.
 * Only what a snapshot's facts need; little-endian throughout. https://github.com/etcd-io/bbolt/blob/main/internal/common
 */

export type ReadAt = (offset: number, length: number) => Promise<Buffer>

export interface Entry {
  key: Buffer
  value: Buffer
}

export interface Bolt {
  /** Bytes that the file must have to hold all of its pages. */
  pagesBytes: number
  /** Entries of a bucket at the root; empty where there is none of that name. Meant for small ones. */
  entries(bucket: string): Promise<Entry[]>
  /** The bucket's greatest key. */
  lastKey(bucket: string): Promise<Buffer | undefined>
}

const magic = 0xed0cdaed
const headerBytes = 16
const elementBytes = 16
/** Checked by the metadata's own checksum, so that trying a wrong one does no harm. */
const pageSizes = [4096, 8192, 16_384, 65_536]
const flags = { branch: 0x01, leaf: 0x02 }
const bucketFlag = 0x01
/** More than the greatest request that etcd takes by far: a page of that size is damage. */
const greatestPageBytes = 64 << 20
/** Deeper than any tree of 2^63 pages: the file is damaged and leads in circles. */
const deepest = 40

interface Meta {
  pageSize: number
  root: number
  pages: number
  transaction: bigint
}

/** Undefined: the file begins as no database of bbolt's does. */
export async function openBolt(readAt: ReadAt): Promise<Bolt | undefined> {
  const meta = await readMeta(readAt)
  if (!meta) return undefined
  const page = (id: number) => readPage(readAt, meta.pageSize, id)
  const bucket = (name: string) => findBucket(page, meta.root, name)
  return {
    pagesBytes: meta.pages * meta.pageSize,
    async entries(name) {
      const root = await bucket(name)
      return root ? allEntries(page, root) : []
    },
    async lastKey(name) {
      let at = await bucket(name)
      for (let depth = 0; at; depth++) {
        if (at.kind === 'leaf') return at.elements.at(-1)?.key
        at = await child(page, at.elements.at(-1), depth)
      }
      return undefined
    },
  }
}

/** The newer of the two whose checksums are right. */
async function readMeta(readAt: ReadAt): Promise<Meta | undefined> {
  const [first, ...others] = await Promise.all(
    [0, ...pageSizes].map(offset => readAt(offset, 128).catch(() => undefined)),
  )
  const metas = [first, ...others].flatMap(bytes => (bytes && toMeta(bytes)) ?? [])
  return metas.toSorted((a, b) => Number(b.transaction - a.transaction))[0]
}

function toMeta(page: Buffer): Meta | undefined {
  if (page.length < 128) return undefined
  const meta = page.subarray(headerBytes, headerBytes + 64)
  if (meta.readUInt32LE(0) !== magic || meta.readBigUInt64LE(56) !== fnv1a(meta.subarray(0, 56))) return undefined
  return {
    pageSize: meta.readUInt32LE(8),
    root: Number(meta.readBigUInt64LE(16)),
    pages: Number(meta.readBigUInt64LE(40)),
    transaction: meta.readBigUInt64LE(48),
  }
}

function fnv1a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash
}

type Page =
  | { kind: 'branch'; elements: { key: Buffer; page: number }[] }
  | { kind: 'leaf'; elements: (Entry & { isBucket: boolean })[] }

type PageAt = (id: number) => Promise<Page>

async function readPage(readAt: ReadAt, pageSize: number, id: number): Promise<Page> {
  const first = await readAt(id * pageSize, pageSize)
  const overflow = first.length === pageSize ? first.readUInt32LE(12) : 0
  if (overflow === 0) return parsePage(first)
  const bytes = (overflow + 1) * pageSize
  if (bytes > greatestPageBytes) throw new Error('a page of the database is damaged')
  return parsePage(await readAt(id * pageSize, bytes))
}

function parsePage(page: Buffer): Page {
  const kind = page.readUInt16LE(8)
  const count = page.readUInt16LE(10)
  const at = Array.from({ length: count }, (_, index) => headerBytes + index * elementBytes)
  if (kind === flags.branch) {
    const elements = at.map(start => {
      const from = start + page.readUInt32LE(start)
      const key = page.subarray(from, from + page.readUInt32LE(start + 4))
      return { key, page: Number(page.readBigUInt64LE(start + 8)) }
    })
    return { kind: 'branch', elements }
  }
  if (kind !== flags.leaf) throw new Error('a page of the database is damaged')
  const elements = at.map(start => {
    const from = start + page.readUInt32LE(start + 4)
    const middle = from + page.readUInt32LE(start + 8)
    const value = page.subarray(middle, middle + page.readUInt32LE(start + 12))
    return { isBucket: page.readUInt32LE(start) === bucketFlag, key: page.subarray(from, middle), value }
  })
  return { kind: 'leaf', elements }
}

async function findBucket(page: PageAt, root: number, name: string): Promise<Page | undefined> {
  const found = (await allEntries(page, await page(root))).find(({ key }) => key.toString() === name)
  if (!found?.isBucket) return undefined
  const id = Number(found.value.readBigUInt64LE(0))
  // A small bucket lies in its parent's page, behind its own header.
  return id === 0 ? parsePage(found.value.subarray(16)) : page(id)
}

async function allEntries(page: PageAt, at: Page, depth = 0): Promise<(Entry & { isBucket: boolean })[]> {
  if (at.kind === 'leaf') return at.elements
  const found: (Entry & { isBucket: boolean })[] = []
  for (const element of at.elements) {
    const below = await child(page, element, depth)
    if (below) found.push(...(await allEntries(page, below, depth + 1)))
  }
  return found
}

async function child(page: PageAt, element: { page: number } | undefined, depth: number): Promise<Page | undefined> {
  if (depth > deepest) throw new Error('the database leads in circles')
  return element && page(element.page)
}
