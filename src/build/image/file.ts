import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { version } from '../node.ts'
import { imageArchive } from './archive.ts'
import { ownSpec } from './own.ts'

const dist = join(import.meta.dirname, '../../../dist')

/** Writes dist/karmada-net_vVERSION_linux_amd64.image.tar, which `docker load` and `ctr images import` read. */
export async function makeImage(): Promise<{ path: string; reference: string }> {
  const spec = await ownSpec()
  const path = join(dist, `karmada-net_v${await version()}_linux_amd64.image.tar`)
  const unfinished = `${path}.${process.pid}`
  await mkdir(dirname(path), { recursive: true })
  try {
    await pipeline(Readable.from(imageArchive(spec)), createWriteStream(unfinished))
    await rename(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
  return { path, reference: spec.references[0] ?? '' }
}
