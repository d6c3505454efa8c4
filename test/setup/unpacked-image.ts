import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ImageSpec, imageArchive } from '../../src/build/image/archive.ts'
import { run } from './run.ts'

export interface UnpackedImage extends AsyncDisposable {
  /** Its file system. */
  root: string
  /** Docker's manifest of it. */
  manifest: { RepoTags: string[]; Layers: string[] }
}

/** An image's file system as a runtime makes it: layer upon layer, by the real tar. */
export async function unpackImage(spec: ImageSpec): Promise<UnpackedImage> {
  const folder = await mkdtemp(join(tmpdir(), 'image-'))
  const root = join(folder, 'root')
  await mkdir(root)
  await run(['tar', '-x', '-C', folder], { input: imageArchive(spec) })
  const [manifest] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as UnpackedImage['manifest'][]
  if (!manifest) throw new Error('an archive without an image')
  for (const layer of manifest.Layers) await run(['tar', '-x', '-f', join(folder, layer), '-C', root])
  return { root, manifest, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
