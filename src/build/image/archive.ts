import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { tarEnd, tarFile, tarHeader, tarPadding } from '../tar.ts'

/** A file of an image: copied from `source`, given as `content`, or a symbolic link to `target`. */
export type ImageFile = { path: string; mode?: number } & (
  | { source: string }
  | { content: string }
  | { target: string }
)

export interface ImageSpec {
  /** References that the image answers to, as `registry.k8s.io/pause:3.10`; also `name@sha256:...` (containerd only). */
  references: string[]
  /** What a Dockerfile would set: Entrypoint, Cmd, Env, User, StopSignal, WorkingDir. */
  config: Record<string, unknown>
  /** Lowest first. One that stays the same from version to version is not pulled again. */
  layers: ImageFile[][]
}

interface Layer {
  digest: string
  size: number
  bytes(): AsyncGenerator<Buffer>
}

export interface ArchiveOptions {
  /** The bytes of so many layers, counted from the lowest, are left out: only for an image store that has them. Default 0. */
  known?: number
}

/**
 * An image as a stream of bytes that both `ctr images import -` and `docker load` read.
 * The same files give the same bytes, and so the same digest.
 */
export async function* imageArchive(
  { references, config: settings, layers: files }: ImageSpec,
  { known = 0 }: ArchiveOptions = {},
): AsyncGenerator<Buffer> {
  const layers: Layer[] = []
  for (const [index, content] of files.entries()) layers.push(await layerOf(content, index === 0))
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
    history: layers.map(() => ({ created_by: 'karmada-net' })),
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...descriptor(config) },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: `sha256:${digest}`,
      size,
    })),
  })
  yield* [
    tarFile('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    tarFile('index.json', index(references, manifest)),
    tarFile('manifest.json', dockerManifest(references, config, layers)),
    tarFile(blobPath(sha256(config)), config),
    tarFile(blobPath(sha256(manifest)), manifest),
  ]
  for (const { digest, size, bytes } of layers.slice(known)) {
    yield tarHeader({ path: blobPath(digest), size })
    yield* bytes()
    yield tarPadding(size)
  }
  yield tarEnd()
}

const index = (references: string[], manifest: Buffer): Buffer =>
  json({
    schemaVersion: 2,
    manifests: references.map(reference => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      ...descriptor(manifest),
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: { 'io.containerd.image.name': reference },
    })),
  })

/** Docker knows tags only. */
const dockerManifest = (references: string[], config: Buffer, layers: Layer[]): Buffer =>
  json([
    {
      Config: blobPath(sha256(config)),
      RepoTags: references.filter(reference => !reference.includes('@')),
      Layers: layers.map(({ digest }) => blobPath(digest)),
    },
  ])

/** A layer is read twice: its digest stands before it in the archive. */
async function layerOf(files: ImageFile[], lowest: boolean): Promise<Layer> {
  const bytes = () => layerBytes(files, lowest)
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of bytes()) {
    hash.update(chunk)
    size += chunk.length
  }
  return { digest: hash.digest('hex'), size, bytes }
}

async function* layerBytes(files: ImageFile[], lowest: boolean): AsyncGenerator<Buffer> {
  for (const path of foldersOf(files, lowest))
    yield tarHeader({ path, type: 'folder', mode: path === 'tmp/' ? 0o1777 : 0o755 })
  for (const file of files) yield* fileBytes(file)
  yield tarEnd()
}

async function* fileBytes(file: ImageFile): AsyncGenerator<Buffer> {
  const path = file.path.replace(/^\//, '')
  if ('target' in file) {
    yield tarHeader({ path, type: 'link', target: file.target, mode: 0o777 })
  } else if ('content' in file) {
    yield tarFile(path, Buffer.from(file.content), file.mode ?? 0o644)
  } else {
    const { size } = await stat(file.source)
    yield tarHeader({ path, size, mode: file.mode ?? 0o755 })
    yield* createReadStream(file.source, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>
    yield tarPadding(size)
  }
}

/** Every folder above a file, outermost first; in the lowest layer also /tmp. */
function foldersOf(files: ImageFile[], lowest: boolean): string[] {
  const folders = new Set(lowest ? ['tmp/'] : [])
  for (const { path } of files) {
    const parts = dirname(path).split('/').filter(Boolean)
    parts.forEach((_, depth) => {
      folders.add(`${parts.slice(0, depth + 1).join('/')}/`)
    })
  }
  return [...folders].sort()
}

const descriptor = (content: Buffer) => ({ digest: `sha256:${sha256(content)}`, size: content.length })
const blobPath = (digest: string): string => `blobs/sha256/${digest}`
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
